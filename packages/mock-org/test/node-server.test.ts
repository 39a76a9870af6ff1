import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { dataOf, rawClient } from './raw-client.ts'

describe('startMockOrgServer', () => {
  let server: MockOrgServer
  beforeEach(async () => {
    server = await startMockOrgServer()
  })
  afterEach(() => server.close())

  it('streams over loopback, with cookies that come back over plain http', async () => {
    const client = await rawClient(server.org, { fetch }).start()
    const { response } = await client.post({
      channel: '/meta/subscribe',
      id: '9',
      clientId: client.clientId,
      subscription: '/event/Order_Event__e',
    })
    expect(response.headers.get('content-type')).toContain('application/json')
    expect([...client.cookies.keys()].sort()).toEqual(['BAYEUX_BROWSER', 'BrowserId', 'sfdc-stream', 't'])
    const held = client.connect()
    await connected(server)
    server.org.publish('/event/Order_Event__e', { Number__c: 1 })
    expect(dataOf(await held)).toHaveLength(1)
  })

  it('answers the authorize endpoint with a redirect, and does not follow it', async () => {
    const { clientId } = server.org.credentials
    const redirectUri = 'https://app.example/callback'
    const query = new URLSearchParams({ response_type: 'code', client_id: clientId, redirect_uri: redirectUri })
    const response = await fetch(`${server.url}/services/oauth2/authorize?${query}`, { redirect: 'manual' })
    expect(response.status).toBe(302)
    expect(response.headers.get('location')).toContain(redirectUri)
  })

  it('answers a path of two slashes, and a WebSocket upgrade as the GET that it is', async () => {
    expect((await fetch(`${server.url}//x`)).status).toBe(404)
    const { port, hostname } = new URL(server.url)
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'x'.repeat(24), 'Sec-WebSocket-Version': '13' }
    const [reply] = (await once(get({ hostname, port, path: '/cometd/66.0', headers }), 'response')) as [IncomingMessage]
    reply.resume()
    expect(reply.statusCode).toBe(405)
  })

  it('sets no Secure cookie over http', async () => {
    const { response } = await rawClient(server.org, { fetch }).post({
      channel: '/meta/handshake',
      supportedConnectionTypes: ['long-polling'],
      version: '1.0',
    })
    const lines = response.headers.getSetCookie()
    expect(lines).toHaveLength(4)
    expect(lines.join()).not.toMatch(/secure/i)
    expect(lines.find((line) => line.startsWith('BrowserId'))).toContain('Domain=.salesforce.com')
  })

  it('has a login host of its own, which refuses client credentials and has no CometD', async () => {
    const { clientId, clientSecret, username, password, securityToken } = server.org.credentials
    const login = (url: string, form: Record<string, string>) =>
      fetch(`${url}/services/oauth2/token`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret, ...form }),
      })
    expect((await login(server.loginUrl, { grant_type: 'client_credentials' })).status).toBe(400)
    const reply = await (await login(server.loginUrl, { grant_type: 'password', username, password: password + securityToken })).json()
    expect(reply).toMatchObject({ instance_url: server.url })
    expect((await fetch(`${server.loginUrl}/cometd/66.0`, { method: 'POST', body: '[]' })).status).toBe(404)
  })

  it.each([
    ['before the headers', { kind: 'network-error' }, 0],
    ['amid the body', { kind: 'cut', afterBytes: 10 }, 10],
    ['after the body', { kind: 'cut-after-body' }, undefined],
  ] as const)('S47 breaks the socket %s', async (_name, fault, bytes) => {
    const whole = (await (await fetch(`${server.url}/services/data/`)).arrayBuffer()).byteLength
    server.org.faults.next({ on: 'versions', ...fault })
    if (bytes === 0) return expect(fetch(`${server.url}/services/data/`)).rejects.toThrow()
    // Read by node:http: a fetch drops what it holds once the connection breaks.
    const [reply] = (await once(get(`${server.url}/services/data/`), 'response')) as [IncomingMessage]
    let got = 0
    reply.on('data', (chunk: Buffer) => {
      got += chunk.length
    })
    const [error] = await once(reply, 'error')
    expect(error).toMatchObject({ code: 'ECONNRESET' })
    expect(got).toBe(bytes ?? whole)
  })

  it('notices a client that goes away while its connect is held', async () => {
    const client = await rawClient(server.org, { fetch }).start()
    const leave = new AbortController()
    const held = client.connect({}, leave.signal)
    await connected(server)
    leave.abort()
    await expect(held).rejects.toThrow()
    await until(() => server.org.inspect.sessions.every((session) => !session.connected))
    expect(server.org.inspect.slots.used).toBe(1)
  })

  it('compresses where asked', async () => {
    server.org.switches.gzip = true
    const reply = await fetch(`${server.url}/services/data/`)
    expect(reply.headers.get('content-encoding')).toBe('gzip')
    expect(await reply.json()).toBeInstanceOf(Array)
  })

  it('moves to another address of its own, and closes with connects held', async () => {
    const client = await rawClient(server.org, { fetch }).start()
    const held = client.connect()
    await connected(server)
    server.org.faults.migrate()
    expect(await held).toMatchObject([
      { channel: '/meta/disconnect' },
      { error: '401::Authentication invalid', advice: { reconnect: 'none' } },
    ])
    expect(server.org.url).toMatch(/^http:\/\/localhost:\d+$/)
    expect((await fetch(`${server.url}/services/data/`)).status).toBe(404)
    expect((await fetch(`${server.org.url}/services/data/`)).status).toBe(200)
    const again = await rawClient(server.org, { fetch }).start()
    const broken = again.connect()
    await connected(server)
    await Promise.all([server.close(), expect(broken).rejects.toThrow()])
  })

  it('listens on loopback only', async () => {
    const answers = async (url: string, host: string): Promise<boolean> => {
      const socket = connect(Number(new URL(url).port), host)
      try {
        await once(socket, 'connect')
        return true
      } catch {
        return false
      } finally {
        socket.destroy()
      }
    }
    const others = Object.values(networkInterfaces()).flatMap((each = []) => each.filter(({ internal, scopeid }) => !internal && !scopeid))
    for (const url of [server.url, server.loginUrl]) {
      expect(new URL(url).hostname).toBe('127.0.0.1')
      expect(await answers(url, '127.0.0.1')).toBe(true)
      for (const { address } of others) expect(await answers(url, address), address).toBe(false)
      // All of 127.0.0.0/8 is loopback on Linux, and a server on every interface would answer there.
      if (process.platform === 'linux') expect(await answers(url, '127.0.0.2')).toBe(false)
    }
  })
})

async function connected(server: MockOrgServer): Promise<void> {
  await until(() => server.org.inspect.sessions.some((session) => session.connected))
}

async function until(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { timeout: 15_000, interval: 5 })
}
