import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import * as auth from '@sfstream/auth'
import * as core from '@sfstream/core'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as node from '../src/index.ts'
import { startProxy, type TestProxy } from './support/proxy.ts'

const channel = '/event/Order__e'
let org: MockOrgServer
let folder: string
let home: string
let proxy: TestProxy | undefined
beforeEach(async () => {
  org = await startMockOrgServer({ channels: [channel] })
  folder = await mkdtemp(join(tmpdir(), 'sfstream-node-'))
  home = process.cwd()
  process.chdir(folder)
})
afterEach(async () => {
  process.chdir(home)
  await proxy?.close()
  proxy = undefined
  await org.close()
  await rm(folder, { recursive: true, force: true })
})

const login = () => node.clientCredentials({ ...org.org.credentials, loginUrl: org.url })

/** Takes `count` events, and finishes them all. */
async function take(client: core.StreamingClient, count: number, replay: 'stored' | 'all' = 'stored'): Promise<unknown[]> {
  const payloads: unknown[] = []
  try {
    for await (const event of client.subscribe<{ Number__c: number }>(channel, { replay })) {
      payloads.push(event.payload.Number__c)
      await event.commit()
      if (payloads.length === count) break
    }
  } finally {
    await client.stop()
  }
  return payloads
}

function publish(from: number, to: number): void {
  for (let at = from; at <= to; at++) org.org.publish(channel, { Number__c: at })
}

describe('names', () => {
  it('are all of core and auth, with a createClient of its own', () => {
    for (const [name, value] of Object.entries({ ...core, ...auth })) {
      if (name === 'createClient') continue
      expect((node as Record<string, unknown>)[name], name).toBe(value)
    }
    expect(node.createClient).not.toBe(core.createClient)
  })
})

describe('replay store', () => {
  it('is a folder below the working directory by default: a new client goes on where the last one ended', async () => {
    publish(1, 5)
    expect(await take(node.createClient({ auth: login() }), 3, 'all')).toEqual([1, 2, 3])
    expect(await readdir(join(folder, '.sfstream', 'replay'))).toHaveLength(1)
    expect(await take(node.createClient({ auth: login() }), 2)).toEqual([4, 5])
  })

  it('null stores nothing', async () => {
    publish(1, 2)
    expect(await take(node.createClient({ auth: login(), replayStore: null }), 2, 'all')).toEqual([1, 2])
    expect(existsSync(join(folder, '.sfstream'))).toBe(false)
  })

  it('with a damaged position rejects the loop, and nothing is sent to the org', async () => {
    publish(1, 1)
    const store = node.fileReplayStore({ path: 'positions' })
    await take(node.createClient({ auth: login(), replayStore: store }), 1, 'all')
    const [name = ''] = await readdir('positions')
    await writeFile(join('positions', name), '{"sfstream":1')
    const failed = await take(node.createClient({ auth: login(), replayStore: store }), 1).catch((error: unknown) => error)
    expect(failed).toMatchObject({ name: 'ReplayError', code: 'store_unreadable', message: expect.stringContaining(name) })
    expect(org.org.inspect.subscriptions).toEqual({})
  })
})

describe('transport', () => {
  /** Who asked, by its name. */
  async function askedBy(options: Partial<node.NodeClientOptions>): Promise<unknown> {
    const agents = new Set<unknown>()
    const server = createServer((request, response) => {
      agents.add(request.headers['user-agent'])
      const refusal = { channel: '/meta/handshake', successful: false, error: '400::Unsupported version', advice: { reconnect: 'none' } }
      request.resume().on('end', () => response.end(JSON.stringify([refusal])))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const instanceUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = node.createClient({ auth: { accessToken: 'x', instanceUrl }, replayStore: null, ...options } as node.NodeClientOptions)
    await expect(client.start()).rejects.toThrow()
    await client.stop()
    server.closeAllConnections()
    server.close()
    return [...agents].join()
  }

  it('is node:http by default, with or without a clock of one’s own', async () => {
    expect(await askedBy({})).toBe('sfstream')
    expect(await askedBy({ proxy: false, platform: { now: () => Date.now() } })).toBe('sfstream')
  })

  it('is fetch where one is given, or a proxy', async () => {
    expect(await askedBy({ platform: { fetch: (input, init) => fetch(input, init) } })).toBe('node')
    proxy = await startProxy()
    expect(await askedBy({ proxy: proxy.url })).toBe('undici')
    expect(proxy.lines.length).toBeGreaterThan(0)
  })

  it('is the one that is given before all', async () => {
    let exchanges = 0
    const own: core.Transport = {
      exchange() {
        exchanges++
        return Promise.resolve({ status: 418, header: () => undefined, text: '' })
      },
    }
    expect(await askedBy({ transport: own })).toBe('')
    expect(exchanges).toBe(1)
  })
})

describe('proxy', () => {
  it('carries logins and streaming, all of them', async () => {
    proxy = await startProxy({ credentials: 'user:p@ss' })
    publish(1, 2)
    const { username, password, securityToken, clientId, clientSecret } = org.org.credentials
    const client = node.createClient({
      auth: node.password({ username, password, securityToken, clientId, clientSecret, loginUrl: org.loginUrl }),
      proxy: proxy.url.replace('//', '//user:p%40ss@'),
    })
    expect(await take(client, 2, 'all')).toEqual([1, 2])
    expect(new Set(proxy.lines)).toEqual(new Set([`CONNECT ${new URL(org.loginUrl).host}`, `CONNECT ${new URL(org.url).host}`]))
  })

  it('is recovered from when it comes back, and its credentials are printed nowhere', async () => {
    proxy = await startProxy({ credentials: 'someone:else' })
    const secret = 'hunter2-secret'
    const client = node.createClient({ auth: login(), proxy: proxy.url.replace('//', `//user:${secret}@`) })
    const loop = client.subscribe(channel)[Symbol.asyncIterator]().next()
    for await (const status of client.status()) {
      expect(inspect(status, { depth: 20 })).not.toContain(secret)
      if (status.type === 'retry') break
    }
    expect(inspect(client, { depth: 20, showHidden: true })).not.toContain(secret)
    await client.stop()
    await loop
    expect(org.org.inspect.logins).toBe(0)
  })

  it('is taken from the environment', () => {
    const before = process.env.HTTPS_PROXY
    process.env.HTTPS_PROXY = 'socks5://proxy.example'
    try {
      expect(() => node.createClient({ auth: login() })).toThrow('HTTPS_PROXY names a socks5 proxy.')
      expect(() => node.createClient({ auth: login(), proxy: false })).not.toThrow()
      expect(() => node.createClient({ auth: login(), platform: { fetch } })).not.toThrow()
    } finally {
      if (before === undefined) delete process.env.HTTPS_PROXY
      else process.env.HTTPS_PROXY = before
    }
  })

  it('and a fetch of one’s own exclude each other', () => {
    expect(() => node.createClient({ auth: login(), proxy: 'http://proxy.example', platform: { fetch } })).toThrow(
      'Both proxy and platform.fetch',
    )
  })
})
