import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { authorizationCode, clientCredentials, deviceFlow } from '@sfstream/auth'
import { createClient, SfStreamError } from '@sfstream/core'
import { webPlatform } from '@sfstream/core/internal'
import { virtualClock } from '@sfstream/mock-org'
import { createRestClient } from '@sfstream/rest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { logins } from '../../../auth/test/flows.ts'
import { errorOf, read } from '../../../core/test/support/rig.ts'
import { json, type ScriptedOrg, scriptedOrg } from '../../../core/test/support/scripted-org.ts'
import { noticeBoard } from '../servers/notice-board.ts'
import { rawServer } from '../servers/raw-server.ts'
import { testClient } from '../servers/test-client.ts'
import { channel, secret, withHostileOrg } from './hostile-rig.ts'

/**
 * Where secrets may not go. Each promise, and the tests that hold it, wherever they stand: a title that is gone from its file fails.
 */
const promises: Record<string, readonly (readonly [file: string, title: string])[]> = {
  'a redirect never carries the token or a credential elsewhere': [
    ['fuzz/secrets.test.ts', 'HTTP %i on a %s takes nothing along'],
    ['fuzz/secrets.test.ts', 'HTTP %i at a login takes no credential along'],
    ['fuzz/secrets.test.ts', 'HTTP %i on the exchange of a code takes nothing along'],
    ['fuzz/secrets.test.ts', 'HTTP %i on a poll of the device flow takes nothing along'],
    ['fuzz/secrets.test.ts', 'HTTP %i on a REST call takes no token along'],
    ['servers/raw-bytes.test.ts', 'a redirect to a login page takes no token along'],
    ['../../auth/test/requests.test.ts', 'follows no redirect and leaves no timer'],
  ],
  '`hosts` advice is not followed': [
    ['fuzz/secrets.test.ts', 'advised hosts are never asked, on whatever reply they come'],
    ['servers/raw-connect.test.ts', 'other hosts are never followed'],
  ],
  'cookies never cross clients': [
    ['fuzz/secrets.test.ts', 'two clients of one org never share a cookie'],
    ['../../core/test/transport/cookie-jar.test.ts', 'no jar knows what another holds'],
  ],
  'a cookie goes to the host it came from, and no Domain changes that': [
    ['../../core/test/transport/cookie-jar.test.ts', '%s in Domain: the cookie is ignored'],
    ['../../core/test/transport/cookie-jar.test.ts', 'a cookie without Domain never goes to %s'],
    ['../../core/test/transport/cookie-jar.test.ts', 'addresses have no parent domains'],
  ],
  'a body is cut at its cap before anything is parsed': [
    ['fuzz/bodies.test.ts', '100 MB of %s are cut at 64 MB, and nothing of them is kept'],
    ['fuzz/bodies.test.ts', 'a gzip bomb is cut by what it decodes to'],
    ['fuzz/secrets.test.ts', 'a token reply of 100 MB is cut at 1 MB'],
  ],
  'no token stands in an error, a URL or a request to another origin': [
    ['../../core/test/wire/fault.test.ts', 'a token echoed in %j is left out'],
    ['../../core/test/wire/decode.test.ts', 'a token that a page echoes is left out'],
    ['fuzz/replies.test.ts', 'good replies with fields changed'],
    ['../../auth/test/failures.test.ts', 'no secret shows when it comes back in %s'],
    ['../../auth/test/authorization-code.test.ts', 'no code, verifier or secret shows in an error, however the server echoes it'],
    ['../../auth/test/soap-login.test.ts', 'the password shows in no error, not even as the request spelled it'],
    ['../../node/test/sf-cli.test.ts', '%s is a typed error without a secret'],
    ['../../auth/test/device-flow.test.ts', 'the device code and the client secret show in no error, however the server echoes them'],
  ],
  'the simulated org listens on loopback': [['../../mock-org/test/node-server.test.ts', 'listens on loopback only']],
}

describe('each promise about secrets has its tests', () => {
  const folder = fileURLToPath(new URL('..', import.meta.url))
  it.each(Object.entries(promises).flatMap(([promise, tests]) => tests.map(([file, title]) => [promise, file, title] as const)))(
    '%s: %s, "%s"',
    (_, file, title) => {
      const text = readFileSync(`${folder}/${file}`, 'utf8')
      // This file names its own tests twice.
      expect(text.split(title).length).toBeGreaterThan(file === 'fuzz/secrets.test.ts' ? 2 : 1)
    },
  )
})

const redirects = [300, 301, 302, 303, 305, 307, 308] as const

/** A server on loopback; what reaches it is counted. */
async function server(answer: (response: ServerResponse) => void): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = []
  const http = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`)
    request.resume().on('end', () => answer(response))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, requests }
}

describe('redirects', () => {
  const elsewhere = (): ReturnType<typeof server> => server((response) => void response.end('[]'))

  it.each(redirects.flatMap((status) => ['handshake', 'connect', 'subscribe'].map((what) => [status, what] as const)))(
    'HTTP %i on a %s takes nothing along',
    async (status, what) => {
      const stranger = await elsewhere()
      const board = noticeBoard()
      const org = await rawServer(board, (seen) =>
        seen.what === what ? (response) => void response.writeHead(status, { location: `${stranger.url}/login` }).end() : undefined,
      )
      const { client } = testClient(board, org.url)
      const reading = read(client.subscribe(channel))
      expect(await reading.ended).toMatchObject({ code: 'redirected', server: { status } })
      expect(stranger.requests).toEqual([])
    },
  )

  it.each(redirects.flatMap((status) => logins.map((flow) => [status, flow.name, flow] as const)))(
    'HTTP %i at a login takes no credential along: %s',
    async (status, _, flow) => {
      const stranger = await elsewhere()
      const login = await server((response) => void response.writeHead(status, { location: `${stranger.url}/login` }).end())
      const client = createClient({ auth: flow.make({ loginUrl: login.url }), retry: { auth: { maxAttempts: 1 } } })
      const error = await errorOf(client.start())
      await client.stop()
      expect(error).toMatchObject({ code: 'redirected' })
      for (const each of flow.secrets) expect(String(error)).not.toContain(each)
      expect(login.requests).toHaveLength(1)
      expect(stranger.requests).toEqual([])
    },
  )

  it.each(redirects)('HTTP %i on the exchange of a code takes nothing along', async (status) => {
    const stranger = await elsewhere()
    const login = await server((response) => void response.writeHead(status, { location: `${stranger.url}/token` }).end())
    const redirectUri = 'http://localhost:1717/callback'
    const auth = authorizationCode({ loginUrl: login.url, clientId: 'id', clientSecret: secret, redirectUri })
    const { state, codeVerifier, url } = await auth.authorize()
    const error = await errorOf(auth.exchange(`${redirectUri}?code=aPrx${secret}&state=${state}`))
    expect(error).toMatchObject({ code: 'redirected' })
    for (const each of [secret, codeVerifier]) expect(`${error} ${JSON.stringify(error)} ${url}`).not.toContain(each)
    expect(login.requests).toHaveLength(1)
    expect(stranger.requests).toEqual([])
  })

  it.each(redirects)('HTTP %i on a poll of the device flow takes nothing along', async (status) => {
    const stranger = await elsewhere()
    const login = await server((response) => {
      if (login.requests.length > 1) return void response.writeHead(status, { location: `${stranger.url}/token` }).end()
      const reply = { device_code: secret, user_code: 'ABC', verification_uri: `${login.url}/setup/connect`, interval: 5 }
      response.end(JSON.stringify(reply))
    })
    // Only the pause between polls is cut short: the rest is real.
    const real = webPlatform()
    const platform = webPlatform({ delay: (callback, ms) => real.delay(callback, ms === 5_000 ? 1 : ms) })
    const auth = deviceFlow({ loginUrl: login.url, clientId: 'id', onCode: () => {} })
    const error = await errorOf(auth.getSession({ signal: new AbortController().signal, platform }))
    expect(login.requests).toHaveLength(2)
    expect(error).toMatchObject({ code: 'redirected' })
    expect(`${error} ${JSON.stringify(error)}`).not.toContain(secret)
    expect(stranger.requests).toEqual([])
  })

  it.each(redirects)('HTTP %i on a REST call takes no token along', async (status) => {
    const stranger = await elsewhere()
    const org = await server((response) => void response.writeHead(status, { location: `${stranger.url}/` }).end())
    const rest = createRestClient({ auth: { accessToken: `00D000000000001!${secret}`, instanceUrl: org.url } })
    const error = await errorOf(rest.get('limits'))
    // 300 is Salesforce's answer where several records bear one external id.
    expect(error).toMatchObject({ code: status === 300 ? 'http_status' : 'redirected' })
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(secret)
    expect(stranger.requests).toEqual([])
  })

  it.each(redirects)('HTTP %i on the list of versions is not followed', async (status) => {
    const stranger = await elsewhere()
    const org = await server((response) => void response.writeHead(status, { location: `${stranger.url}/services/data/` }).end())
    const client = createClient({
      auth: { accessToken: `00D000000000001!${secret}`, instanceUrl: org.url },
      apiVersion: 'latest',
      retry: { handshake: { maxAttempts: 1 } },
    })
    expect(await errorOf(client.start())).toBeInstanceOf(SfStreamError)
    await client.stop()
    expect(stranger.requests).toEqual([])
    for (const each of org.requests) expect(each).not.toContain(secret)
  })
})

describe('a login', () => {
  it('a token reply of 100 MB is cut at 1 MB', async () => {
    let bytes = 0
    const piece = new Uint8Array(65_536).fill(32)
    const fetch = (): Promise<Response> =>
      Promise.resolve(
        new Response(
          new ReadableStream<Uint8Array>({
            pull(controller) {
              bytes += piece.byteLength
              if (bytes > 100 * 1024 * 1024) controller.close()
              else controller.enqueue(piece)
            },
          }),
        ),
      )
    const client = createClient({
      auth: clientCredentials({ loginUrl: 'https://acme.my.salesforce.com', clientId: 'id', clientSecret: secret }),
      platform: { fetch },
      retry: { auth: { maxAttempts: 1 } },
    })
    expect(await errorOf(client.start())).toMatchObject({ code: 'login_unavailable' })
    await client.stop()
    expect(bytes).toBeLessThan(2 * 1024 * 1024)
  })
})

describe('hosts', () => {
  const hosts = ['evil.example', 'https://evil.example/cometd', '127.0.0.1:1']

  it.each(['handshake', 'connect', 'subscribe'])('advised hosts are never asked, on whatever reply they come: %s', async (what) => {
    // The rig looks at the origin of every request.
    for (const successful of [true, false])
      for (const reconnect of ['retry', 'handshake', undefined])
        await withHostileOrg(
          (request, org) =>
            request.what !== what
              ? undefined
              : json(
                  org.friendly(request).map((reply) => ({
                    ...reply,
                    successful,
                    ...(successful ? {} : { error: '402::Unknown client' }),
                    advice: { hosts, 'long-polling': { hosts }, ...(reconnect ? { reconnect } : {}), interval: 0 },
                  })),
                ),
          { times: 4, seed: successful ? 1 : 2 },
        )
  })
})

describe('cookies', () => {
  it('two clients of one org never share a cookie', async () => {
    const clock = virtualClock()
    let given = 0
    const seen = new Map<string, Set<string>>()
    const org: ScriptedOrg = scriptedOrg(clock.now, ({ headers, what }, self) => {
      const owner = headers.get('authorization') ?? ''
      const cookies = seen.get(owner) ?? new Set()
      seen.set(owner, cookies)
      for (const cookie of headers.get('cookie')?.split('; ') ?? []) cookies.add(cookie)
      if (what !== 'handshake') return undefined
      const reply = json(self.friendly(self.requests.at(-1) as never))
      reply.headers.append('set-cookie', `BAYEUX_BROWSER=${++given}; Path=/; Domain=.salesforce.com`)
      return reply
    })
    const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
    const clients = ['one', 'two', 'three'].map((token) =>
      createClient({ auth: { accessToken: token, instanceUrl: org.session.instanceUrl }, platform }),
    )
    for (const client of clients) client.start().catch(() => {})
    await clock.runUntil(() => org.held === 3)
    expect([...seen.values()].map((cookies) => [...cookies])).toEqual([['BAYEUX_BROWSER=1'], ['BAYEUX_BROWSER=2'], ['BAYEUX_BROWSER=3']])
    await Promise.all([...clients.map((client) => client.stop()), clock.advance(3_000)])
  })
})
