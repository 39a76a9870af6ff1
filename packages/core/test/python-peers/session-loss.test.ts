import { describe, expect, it } from 'vitest'
import { AuthenticationError, type OrgSession } from '../../src/index.ts'
import { begin, errorOf, inTurn, read, refusal, withRig } from '../support/rig.ts'
import { json, platformEvent, type ScriptedOrg, type SeenRequest } from '../support/scripted-org.ts'

const channel = '/event/Order__e'
const positions = (org: ScriptedOrg): unknown[] =>
  org.of('subscribe').flatMap(({ messages }) => messages.map(({ ext }) => Object.values(ext?.replay as Record<string, unknown>)[0]))
const unknownClient =
  (code = 403, advice: Record<string, unknown> = { reconnect: 'handshake', interval: 0 }) =>
  (request: SeenRequest) => [refusal(request, `${code}::Unknown client`, { advice })]
const kicked = (error: string) => (request: SeenRequest) => [
  { channel: '/meta/disconnect' },
  refusal(request, error, { clientId: 'ja3e', advice: { reconnect: 'none', interval: 0 } }),
]

/** A login for each call: a new token, on `instanceUrl`. */
function logins(fail: (call: number) => Error | undefined = () => undefined) {
  const login = {
    calls: 0,
    /** Where the org lives from the second login on. */
    movedTo: 'https://acme.my.salesforce.com',
    auth: (): Promise<OrgSession> => {
      const error = fail(++login.calls)
      if (error) return Promise.reject(error)
      return Promise.resolve({
        accessToken: `00D000000000001!token${login.calls}`,
        instanceUrl: login.calls > 1 ? login.movedTo : 'https://acme.my.salesforce.com',
      })
    },
  }
  return login
}
const loginFailure = (retryable: boolean): AuthenticationError =>
  new AuthenticationError({
    code: retryable ? 'login_unavailable' : 'login_refused',
    message: 'The login host answered.',
    remediation: 'Wait.',
    retryable,
    server: { text: 'expired access/refresh token', error: 'invalid_grant', status: retryable ? 503 : 400 },
  })

describe('python peers: session loss, auth loss, server disconnect', () => {
  it.each([403, 402])(
    'P65 %i::Unknown client: one handshake, everything resubscribed from its last event, no token request',
    async (code) => {
      const login = logins()
      const script = inTurn('connect', [undefined, undefined, undefined, unknownClient(code)])
      await withRig({ auth: login.auth, script }, async ({ client, org, clock, said }) => {
        const readings = [read(client.subscribe(channel)), read(client.subscribe('/topic/Foo'))]
        await clock.runUntil(() => org.held === 1)
        org.push(platformEvent(7), platformEvent(3, '/topic/Foo'))
        await clock.runUntil(() => org.held === 1)
        org.push()
        await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
        expect(positions(org).slice(2).sort()).toEqual([3, 7])
        expect(org.of('handshake')).toHaveLength(2)
        expect(login.calls).toBe(1)
        expect(
          said('resubscribed')
            .map(({ channel: name, from }) => [name, from])
            .sort(),
        ).toEqual([
          [channel, 7],
          ['/topic/Foo', 3],
        ])
        org.push(platformEvent(8))
        await clock.runUntil(() => readings[0]?.events.length === 2)
        expect(readings.map(({ ids }) => ids)).toEqual([[7, 8], [3]])
      })
    },
  )

  it.each([400, 401, 403, 503])('what Bayeux messages say counts, whatever the status they come with: HTTP %i', async (status) => {
    const login = logins()
    const told = unknownClient()
    const script = inTurn('connect', [undefined, (request) => json([platformEvent(7), ...told(request)], { status })])
    await withRig({ auth: login.auth, script }, async ({ client, org, clock, said }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      expect(reading.ids).toEqual([7])
      expect(said('rehandshake').map(({ delayMs }) => delayMs)).toEqual([0])
      expect(said('retry')).toEqual([])
      expect(login.calls).toBe(1)
    })
  })

  it.each([
    ['a lost session', unknownClient(), 1],
    ['a refused token', kicked('401::Authentication invalid'), 2],
  ])('%s is not for shouldRetry to judge', async (_, told, logged) => {
    const login = logins()
    const asked: string[] = []
    const judge = { shouldRetry: ({ code }: { code: string }) => asked.push(code) < 0 }
    const script = inTurn('connect', [undefined, told])
    await withRig(
      { auth: login.auth, script, retry: { connect: judge, handshake: judge, auth: judge } },
      async ({ client, org, clock }) => {
        begin(client)
        await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
        expect(asked).toEqual([])
        expect(login.calls).toBe(logged)
      },
    )
  })

  it('P66 after a handshake without advice comes a connect, never another handshake', async () => {
    const script = inTurn('connect', [undefined, unknownClient()])
    await withRig({ script }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      await clock.advance(105_000)
      expect(org.requests.map(({ what }) => what)).toEqual(['handshake', 'connect', 'connect', 'handshake', 'connect', 'connect'])
    })
  })

  it('P67 Unknown client right after every handshake: growing delays, clean cookies, a bounded count', async () => {
    const script = (request: SeenRequest, org: ScriptedOrg) => {
      const cookie = { headers: { 'set-cookie': `sfdc-stream=node${org.of('handshake').length}; path=/` } }
      if (request.what === 'handshake') return json(org.friendly(request), cookie)
      return request.what === 'connect' ? unknownClient()(request) : undefined
    }
    const retry = { handshake: { baseMs: 1_000, factor: 2, jitter: 'none' as const, maxAttempts: 5 } }
    await withRig({ script, retry }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => reading.over)
      expect(await reading.ended).toMatchObject({ name: 'HandshakeError', code: 'session_lost', retryable: true })
      const handshakes = org.of('handshake')
      const gaps = handshakes.slice(1).map(({ atMs }, at) => atMs - handshakes[at]!.atMs)
      // The first loss costs nothing; from then on the delays double.
      expect(gaps).toEqual([0, 1_000, 2_000, 4_000, 8_000])
      expect(handshakes.map(({ headers }) => headers.get('cookie'))).toEqual([
        null,
        'sfdc-stream=node1',
        'sfdc-stream=node2',
        null,
        null,
        null,
      ])
    })
  })

  it('P67 without a bound it goes on, ever more slowly', async () => {
    const script = (request: SeenRequest) => (request.what === 'connect' ? unknownClient()(request) : undefined)
    await withRig({ script }, async ({ client, org, clock }) => {
      begin(client)
      await clock.advance(24 * 3_600_000)
      // Full jitter under a cap of two minutes: about one a minute.
      expect(org.of('handshake').length).toBeGreaterThan(500)
      expect(org.of('handshake').length).toBeLessThan(2_500)
    })
  })

  it('P68 a pushed disconnect with a 401: one new token, a new handshake with clean cookies, resubscribed; the loop goes on', async () => {
    const login = logins()
    const script = (request: SeenRequest, org: ScriptedOrg) => {
      if (request.what === 'handshake') return json(org.friendly(request), { headers: { 'set-cookie': 'BAYEUX_BROWSER=b; path=/cometd/' } })
      return inTurn('connect', [undefined, undefined, undefined, kicked('401::Authentication invalid')])(request, org)
    }
    await withRig({ auth: login.auth, script }, async ({ client, org, clock, said }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(5))
      await clock.runUntil(() => org.held === 1)
      org.push()
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      org.push(platformEvent(6))
      await clock.runUntil(() => reading.events.length === 2)
      expect(login.calls).toBe(2)
      expect(positions(org)).toEqual([-1, 5])
      expect(org.of('handshake').map(({ headers }) => [headers.get('authorization'), headers.get('cookie')])).toEqual([
        ['Bearer 00D000000000001!token1', null],
        ['Bearer 00D000000000001!token2', null],
      ])
      expect(said('reauthenticated')).toHaveLength(1)
      expect(reading.over).toBe(false)
    })
  })

  it('P69 a pushed disconnect with Unknown client and advice none: a new handshake, reported, no new token', async () => {
    const login = logins()
    const script = inTurn('connect', [undefined, kicked('403::Unknown client')])
    await withRig({ auth: login.auth, script }, async ({ client, org, clock, said }) => {
      begin(client)
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      expect(said('rehandshake')).toMatchObject([{ reason: expect.stringContaining('403::Unknown client') }])
      expect(login.calls).toBe(1)
    })
  })

  it('P69 reconnect: false rejects instead', async () => {
    const script = inTurn('connect', [undefined, kicked('403::Unknown client')])
    await withRig({ reconnect: false, script }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => reading.over)
      expect(await reading.ended).toMatchObject({ name: 'HandshakeError', code: 'session_lost' })
      expect(org.of('handshake')).toHaveLength(1)
    })
  })

  it.each<[string, (request: SeenRequest) => Response]>([
    ['HTML', () => new Response('<html>log in</html>', { status: 401 })],
    ['no body', () => new Response(null, { status: 401 })],
    ['Bayeux messages', (request) => json(kicked('401::Authentication invalid')(request), { status: 401 })],
    ['a REST error', () => json([{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }], { status: 401 })],
  ])('P70 HTTP 401 with %s on a poll is a refused token', async (_, answer) => {
    const login = logins()
    await withRig({ auth: login.auth, script: inTurn('connect', [undefined, answer]) }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      expect(login.calls).toBe(2)
      expect(reading.over).toBe(false)
      expect(org.of('connect')).toHaveLength(4)
    })
  })

  it('P71 a login refused during recovery rejects the loop with the login’s own error', async () => {
    const login = logins((call) => (call === 2 ? loginFailure(false) : undefined))
    const script = inTurn('connect', [undefined, kicked('401::Authentication invalid')])
    await withRig({ auth: login.auth, script }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => reading.over)
      await clock.advance(3_600_000)
      expect(await reading.ended).toMatchObject({ name: 'AuthenticationError', code: 'login_refused', server: { error: 'invalid_grant' } })
      expect(login.calls).toBe(2)
      expect(org.of('handshake')).toHaveLength(1)
      // Nothing is wiped: starting again logs in again.
      begin(client)
      await clock.runUntil(() => client.state === 'live')
      expect(login.calls).toBe(3)
    })
  })

  it('P71 a login host that is down is tried again with growing delays', async () => {
    const login = logins((call) => (call >= 2 && call <= 4 ? loginFailure(true) : undefined))
    const script = inTurn('connect', [undefined, kicked('401::Authentication invalid')])
    const retry = { auth: { jitter: 'none' as const, baseMs: 1_000, factor: 2 } }
    await withRig({ auth: login.auth, script, retry }, async ({ client, org, clock, said }) => {
      begin(client)
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      expect(login.calls).toBe(5)
      expect(said('retry').map(({ what, attempt, delayMs }) => [what, attempt, delayMs])).toEqual([
        ['auth', 1, 1_000],
        ['auth', 2, 2_000],
        ['auth', 3, 4_000],
      ])
    })
  })

  // aiosfstream closes at once. An unknown text may well mean a dead token, and one new one is cheap.
  it('P72 advice none with an unknown error gets one new token first, then rejects with a typed error', async () => {
    const login = logins()
    const script = (request: SeenRequest, org: ScriptedOrg) =>
      request.what === 'connect' && org.of('connect').length > 1 ? kicked('499::Out of coffee')(request) : undefined
    await withRig({ auth: login.auth, script }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => reading.over)
      expect(await reading.ended).toMatchObject({
        name: 'ProtocolError',
        code: 'server_stopped',
        server: { code: 499, text: 'Out of coffee' },
      })
      expect(login.calls).toBe(2)
      expect(org.of('handshake')).toHaveLength(2)
      expect(client.state).toBe('failed')
      const late = read(client.subscribe('/event/Late__e'))
      await clock.settle()
      expect(await late.ended).toMatchObject({ code: 'server_stopped' })
    })
  })

  it('P73 the session of another user: clientId and cookies are discarded, one new handshake', async () => {
    const script = (request: SeenRequest, org: ScriptedOrg) => {
      if (request.what === 'handshake') return json(org.friendly(request), { headers: { 'set-cookie': 'BAYEUX_BROWSER=b; path=/cometd/' } })
      return inTurn('connect', [
        undefined,
        (poll) => [refusal(poll, "400::Authenticated user id does not match the session's user id", { advice: { reconnect: 'none' } })],
      ])(request, org)
    }
    const login = logins()
    await withRig({ auth: login.auth, script }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      expect(org.of('handshake')[1]?.headers.get('cookie')).toBeNull()
      expect(org.of('connect').map(({ messages }) => messages[0]?.clientId)).toEqual(['client1', 'client1', 'client2', 'client2'])
      expect(login.calls).toBe(1)
    })
  })

  /** The network is gone between two instants. */
  const outage = (from: number, until: number) => (request: SeenRequest, org: ScriptedOrg) => {
    const at = request.atMs - org.requests[0]!.atMs
    return at >= from && at < until ? new TypeError('fetch failed') : undefined
  }

  it('P74 a network that is down for longer than maxElapsedMs is raised; the first blip never is', async () => {
    const script = (request: SeenRequest, org: ScriptedOrg) => (org.of('connect').length > 1 ? outage(0, 600_000)(request, org) : undefined)
    await withRig({ script, retry: { connect: { baseMs: 100, capMs: 200, maxElapsedMs: 1_000 } } }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.of('connect').length === 2)
      expect(reading.over).toBe(false)
      const before = clock.now()
      await clock.runUntil(() => reading.over)
      expect(await reading.ended).toMatchObject({ name: 'TransportError', code: 'network', retryable: true })
      expect(clock.now() - before).toBeGreaterThanOrEqual(900)
      expect(clock.now() - before).toBeLessThan(1_300)
    })
  })

  it('P74 without that bound it is never raised, and events after the outage arrive', async () => {
    const script = (request: SeenRequest, org: ScriptedOrg) =>
      org.of('connect').length > 2 ? outage(0, 3_600_000)(request, org) : undefined
    await withRig({ script }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1))
      await clock.advance(3_590_000)
      expect(reading.over).toBe(false)
      expect(org.requests.length).toBeLessThan(600)
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(2))
      await clock.runUntil(() => reading.events.length === 2)
      expect(reading.ids).toEqual([1, 2])
    })
  })
})

describe('python peers: OAuth, the part of core', () => {
  it('P4 the session given names the host and the bearer of every request', async () => {
    await withRig({ auth: { accessToken: 'my-token', instanceUrl: 'https://foo.salesforce.com' } }, async ({ client, org, clock }) => {
      await Promise.all([client.subscribe(channel).ready, clock.runUntil(() => org.held === 1)])
      expect(new Set(org.requests.map(({ url, headers }) => `${url.host} ${headers.get('authorization')}`))).toEqual(
        new Set(['foo.salesforce.com Bearer my-token']),
      )
    })
  })

  it('P11 a token of the caller’s own makes no other request; without a way to another, a refusal is final', async () => {
    const script = inTurn('connect', [undefined, kicked('401::Authentication invalid')])
    await withRig({ script }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => reading.over)
      expect(await reading.ended).toMatchObject({ name: 'AuthenticationError', code: 'token_refused' })
      expect(org.requests.map(({ what }) => what).sort()).toEqual(['connect', 'connect', 'handshake', 'subscribe'])
    })
  })

  it('P11 on a refusal the caller’s function supplies the next token; the same one again is final', async () => {
    const script = inTurn('connect', [undefined, kicked('401::Authentication invalid')])
    for (const next of ['another', 'first']) {
      const tokens = ['first', next]
      const auth = () =>
        Promise.resolve({ accessToken: `00D000000000001!${tokens.shift()}`, instanceUrl: 'https://acme.my.salesforce.com' })
      await withRig({ auth, script }, async ({ client, org, clock }) => {
        const reading = read(client.subscribe(channel))
        await clock.runUntil(() => reading.over || (org.of('handshake').length === 2 && org.held === 1))
        expect(tokens).toEqual([])
        if (next === 'first') expect(await reading.ended).toMatchObject({ name: 'AuthenticationError', code: 'token_refused' })
        else expect(org.of('handshake')[1]?.headers.get('authorization')).toBe('Bearer 00D000000000001!another')
      })
    }
  })

  it('P12 one refusal makes one token request, whatever else is under way', async () => {
    const login = logins()
    // The poll and a subscribe are refused in the same breath.
    const script = (request: SeenRequest, org: ScriptedOrg) =>
      org.of('handshake').length === 1 && request.messages.some(({ channel: name, advice }) => name !== '/meta/handshake' && !advice)
        ? kicked('401::Authentication invalid')(request)
        : undefined
    await withRig({ auth: login.auth, script }, async ({ client, org, clock }) => {
      await Promise.all([client.subscribe(channel).ready, clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)])
      expect(login.calls).toBe(2)
    })
  })

  it('P13 a new instance URL moves the next handshake, and nothing goes to the old host', async () => {
    const login = logins()
    const script = inTurn('connect', [undefined, kicked('401::Authentication invalid')])
    await withRig({ auth: login.auth, script }, async ({ client, org, clock, said }) => {
      read(client.subscribe(channel))
      login.movedTo = 'https://acme2.my.salesforce.com'
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      const later = org.requests.slice(org.requests.indexOf(org.of('handshake')[1]!))
      expect(new Set(later.map(({ url }) => url.host))).toEqual(new Set(['acme2.my.salesforce.com']))
      expect(client.endpoint?.host).toBe('acme2.my.salesforce.com')
      expect(said('reauthenticated')).toMatchObject([{ instanceUrl: 'https://acme2.my.salesforce.com' }])
    })
  })

  it('P5 P6 a login that fails rejects start with its own error, sends no handshake, and names no secret', async () => {
    const refused = logins(() => loginFailure(false))
    await withRig({ auth: refused.auth }, async ({ client, org }) => {
      expect(await errorOf(client.start())).toMatchObject({ name: 'AuthenticationError', code: 'login_refused' })
      expect(org.requests).toEqual([])
    })
    const broken = (): Promise<OrgSession> => Promise.reject(new TypeError('fetch failed'))
    await withRig({ auth: broken }, async ({ client, org }) => {
      expect(await errorOf(client.start())).toMatchObject({
        name: 'AuthenticationError',
        code: 'login_refused',
        cause: expect.any(TypeError),
      })
      expect(org.requests).toEqual([])
    })
  })
})
