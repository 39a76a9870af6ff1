import { describe, expect, it } from 'vitest'
import { createClient, type OrgSession } from '../../src/index.ts'
import { begin, errorOf, inTurn, refusal, withRig } from '../support/rig.ts'
import { json, type SeenRequest } from '../support/scripted-org.ts'

const versions = (...list: string[]): Response =>
  json(list.map((version) => ({ label: version, url: `/services/data/v${version}`, version })))

/** Hands out a new token each time, and counts. */
function countingAuth(): { auth: () => Promise<OrgSession>; readonly calls: number } {
  let calls = 0
  return {
    auth: () => Promise.resolve({ accessToken: `00D000000000001!token${++calls}`, instanceUrl: 'https://acme.my.salesforce.com' }),
    get calls() {
      return calls
    },
  }
}

describe('python peers: handshake, version, headers, cookies', () => {
  it('P14 handshake body and path', async () => {
    await withRig({ apiVersion: '42.0' }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => client.state === 'live')
      const [handshake] = org.requests
      expect(handshake?.url.href).toBe('https://acme.my.salesforce.com/cometd/42.0/')
      expect(handshake?.messages).toEqual([
        {
          channel: '/meta/handshake',
          supportedConnectionTypes: ['long-polling'],
          version: '1.0',
          minimumVersion: '1.0',
          ext: { replay: true },
          id: '1',
        },
      ])
      expect(handshake?.headers.get('authorization')).toBe('Bearer 00D000000000001!token')
      expect(handshake?.headers.get('content-type')).toBe('application/json')
    })
  })

  // The seed takes any version. Below 37.0 an org knows no replay ids, and resuming is our first promise: refused before anything is sent.
  it('P15 version 1.0 is refused, as are all below 37.0: they have no durable replay', () => {
    const auth = { accessToken: 'token', instanceUrl: 'https://acme.my.salesforce.com' }
    for (const apiVersion of ['1.0', '36.0', 'forty', '']) {
      expect(() => createClient({ auth, apiVersion }), apiVersion).toThrow(
        expect.objectContaining({ name: 'HandshakeError', code: 'bad_api_version' }),
      )
    }
  })

  it.each(['https://acme.my.salesforce.com', 'https://acme.my.salesforce.com/', 'https://acme.my.salesforce.com/some/path/'])(
    'P15 the endpoint of %s has no double slash',
    async (instanceUrl) => {
      await withRig({ auth: { accessToken: 'token', instanceUrl } }, async ({ client, org, clock }) => {
        begin(client)
        await clock.runUntil(() => org.of('handshake').length === 1)
        expect(org.requests[0]?.url.href).toBe('https://acme.my.salesforce.com/cometd/66.0/')
        await clock.runUntil(() => client.state === 'live')
        expect(client.endpoint?.href).toBe('https://acme.my.salesforce.com/cometd/66.0/')
      })
    },
  )

  it.each([
    ['35.0 to 42.0', versions('35.0', '36.0', '37.0', '41.0', '42.0'), '42.0'],
    ['an empty list', versions(), '66.0'],
    ['a list of old versions', versions('23.0', '36.0'), '66.0'],
    ['no list', json({ message: 'no' }), '66.0'],
  ])('P16 latest asks before the handshake: %s', async (_, list, expected) => {
    const script = (request: SeenRequest): Response | undefined => (request.what === 'versions' ? list.clone() : undefined)
    await withRig({ apiVersion: 'latest', script }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => client.state === 'live')
      expect(org.requests.slice(0, 2).map(({ what, url }) => [what, url.pathname])).toEqual([
        ['versions', '/services/data/'],
        ['handshake', `/cometd/${expected}/`],
      ])
      // The list needs no token: [facts 1.3].
      expect(org.requests[0]?.headers.get('authorization')).toBeNull()
    })
  })

  it('P17 latest takes the greatest of an unsorted list', async () => {
    const script = (request: SeenRequest): Response | undefined =>
      request.what === 'versions' ? versions('62.0', '100.0', '60.0', '9.0') : undefined
    await withRig({ apiVersion: 'latest', script }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => client.state === 'live')
      expect(org.of('handshake')[0]?.url.pathname).toBe('/cometd/100.0/')
    })
  })

  it('P17 a pinned version asks for no list', async () => {
    await withRig({ apiVersion: 'v58' }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => client.state === 'live')
      expect(org.of('versions')).toEqual([])
      expect(org.of('handshake')[0]?.url.pathname).toBe('/cometd/58.0/')
    })
  })

  it('P18 a handshake reply of nothing but a clientId is accepted', async () => {
    await withRig({ script: inTurn('handshake', [() => [{ clientId: '4' }]]) }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => client.state === 'live')
      expect(org.of('connect').map(({ messages }) => messages[0]?.clientId)).toEqual(['4', '4'])
    })
  })

  const deniedForLimit = (request: SeenRequest) => [
    refusal(request, '403::Handshake denied', {
      ext: { sfdc: { failureReason: '403::Organization concurrent user limit exceeded' }, replay: true, 'payload.format': true },
      advice: { reconnect: 'none' },
    }),
  ]

  it('P19 the org’s client limit is a typed LimitError where limits are to fail', async () => {
    const login = countingAuth()
    const options = { auth: login.auth, retry: { limits: 'fail' as const }, script: inTurn('handshake', [deniedForLimit]) }
    await withRig(options, async ({ client, org, clock }) => {
      const refused = errorOf(client.start())
      await clock.advance(60_000)
      expect(await refused).toMatchObject({
        name: 'LimitError',
        code: 'client_limit',
        retryable: true,
        server: { code: 403, text: 'Handshake denied', failureReason: '403::Organization concurrent user limit exceeded' },
      })
      expect(org.requests.map(({ what }) => what)).toEqual(['handshake'])
      expect(login.calls).toBe(1)
    })
  })

  it('P19 by default it is waited for, reported, with no new token and no second handshake at once', async () => {
    const login = countingAuth()
    await withRig(
      { auth: login.auth, script: inTurn('handshake', [deniedForLimit, deniedForLimit]) },
      async ({ client, org, clock, said }) => {
        begin(client)
        await clock.advance(29_000)
        expect(org.requests.map(({ what }) => what)).toEqual(['handshake'])
        expect(said('limit')[0]?.error.server?.failureReason).toBe('403::Organization concurrent user limit exceeded')
        await clock.runUntil(() => client.state === 'live')
        const times = org.of('handshake').map(({ atMs }) => atMs)
        expect(times).toHaveLength(3)
        const gaps = [times[1]! - times[0]!, times[2]! - times[1]!]
        expect(gaps.map(Math.round)).toEqual(said('limit').map(({ delayMs }) => Math.round(delayMs)))
        expect(login.calls).toBe(1)
      },
    )
  })

  const unauthorized = (request: SeenRequest) => [
    refusal(request, '401::Authentication invalid', { ext: { replay: true }, advice: { reconnect: 'none' } }),
  ]

  it('P20 a token refused at the handshake is replaced once', async () => {
    const login = countingAuth()
    await withRig({ auth: login.auth, script: inTurn('handshake', [unauthorized]) }, async ({ client, org, clock, said }) => {
      begin(client)
      await clock.runUntil(() => client.state === 'live')
      expect(login.calls).toBe(2)
      expect(org.of('handshake').map(({ headers }) => headers.get('authorization'))).toEqual([
        'Bearer 00D000000000001!token1',
        'Bearer 00D000000000001!token2',
      ])
      expect(said('reauthenticated')).toHaveLength(1)
    })
  })

  it('P20 a second refusal, of a new token, rejects', async () => {
    const login = countingAuth()
    const script = inTurn('handshake', [unauthorized, unauthorized])
    await withRig({ auth: login.auth, script }, async ({ client, org, clock }) => {
      const refused = errorOf(client.start())
      await clock.advance(600_000)
      expect(await refused).toMatchObject({ name: 'AuthenticationError', code: 'token_refused', server: { code: 401 } })
      expect(org.requests).toHaveLength(2)
      expect(login.calls).toBe(2)
      expect(client.state).toBe('failed')
    })
  })

  it('P21 cookies of the org are sent back; those of the login host are never asked for', async () => {
    const script = inTurn('handshake', [
      (request, org) =>
        json(org.friendly(request), {
          headers: [
            ['set-cookie', 'BAYEUX_BROWSER=bb1; path=/cometd/'],
            ['set-cookie', 'sfdc-stream=!route1/+=; path=/; Secure; SameSite=None'],
            ['set-cookie', 'elsewhere=1; path=/services/'],
            ['set-cookie', 'BrowserId=b; domain=.salesforce.com; path=/'],
            ['set-cookie', 'stranger=1; domain=.example.com; path=/'],
          ],
        }),
    ])
    await withRig({ script }, async ({ client, org, clock }) => {
      await Promise.all([client.subscribe('/topic/Foo').ready, clock.runUntil(() => client.state === 'live')])
      expect(org.requests.map(({ headers }) => headers.get('cookie'))).toEqual([
        null,
        ...org.requests.slice(1).map(() => 'BAYEUX_BROWSER=bb1; sfdc-stream=!route1/+=; BrowserId=b'),
      ])
      expect(org.requests.length).toBeGreaterThan(3)
    })
  })

  it('P22 expired cookies are dropped, a new value replaces the old', async () => {
    const cookies = (...lines: string[]) => ({ headers: lines.map((line): [string, string] => ['set-cookie', line]) })
    const script = (request: SeenRequest, org: { friendly(request: SeenRequest): unknown; of(what: string): SeenRequest[] }) => {
      const connects = org.of('connect').length
      if (request.what === 'handshake') {
        const lines = ['a=1; path=/', 'b=1; path=/', 'c=1; path=/', 'sfdc-stream=old; path=/; Max-Age=3600']
        return json(org.friendly(request), cookies(...lines))
      }
      if (request.what === 'connect' && connects === 1) {
        const past = 'Thu, 01 Jan 1970 00:00:00 GMT'
        return json(
          org.friendly(request),
          cookies(`a=; path=/; Expires=${past}`, 'b=2; path=/; Max-Age=0', 'sfdc-stream=new; path=/; Max-Age=100'),
        )
      }
      return undefined
    }
    await withRig({ script }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => org.held === 1)
      expect(org.of('connect').map(({ headers }) => headers.get('cookie'))).toEqual([
        'a=1; b=1; c=1; sfdc-stream=old',
        'c=1; sfdc-stream=new',
      ])
      await clock.advance(100_000)
      org.push()
      await clock.runUntil(() => org.of('connect').length === 3)
      expect(org.of('connect')[2]?.headers.get('cookie')).toBe('c=1')
    })
  })

  it('P23 a new handshake has fresh ids and no clientId; later messages the new clientId only', async () => {
    const lost = (request: SeenRequest) => [refusal(request, '403::Unknown client', { advice: { reconnect: 'handshake', interval: 0 } })]
    await withRig({ script: inTurn('connect', [undefined, lost]) }, async ({ client, org, clock }) => {
      const { ready } = client.subscribe('/topic/Foo')
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      await ready
      const second = org.requests.slice(org.requests.indexOf(org.of('handshake')[1]!)).flatMap(({ messages }) => messages)
      expect(second[0]).toMatchObject({ channel: '/meta/handshake', id: '1' })
      expect(second[0]).not.toHaveProperty('clientId')
      expect(second.map(({ id }) => Number(id))).toEqual(second.map((_, at) => at + 1))
      expect(new Set(second.slice(1).map(({ clientId }) => clientId))).toEqual(new Set(['client2']))
    })
  })

  it('P24 a server without long-polling is a typed error, and nothing else is sent', async () => {
    const script = inTurn('handshake', [
      (request, org) => [{ ...org.friendly(request)[0], supportedConnectionTypes: ['websocket', 'callback-polling'] }],
    ])
    await withRig({ script }, async ({ client, org, clock }) => {
      const refused = errorOf(client.start())
      await clock.advance(600_000)
      expect(await refused).toMatchObject({
        name: 'HandshakeError',
        code: 'no_common_transport',
        message: expect.stringContaining('websocket'),
      })
      expect(org.requests).toHaveLength(1)
    })
  })
})
