import { describe, expect, it } from 'vitest'
import type { BayeuxMessage } from '../../src/index.ts'
import { begin, errorOf, inTurn, read, refusal, spyStore, withRig } from '../support/rig.ts'
import { platformEvent, type ScriptedOrg, type SeenRequest } from '../support/scripted-org.ts'

const subscribed = (org: ScriptedOrg): BayeuxMessage[] => org.of('subscribe').flatMap(({ messages }) => messages)
const busy = (failureReason: string) => (request: SeenRequest) => [
  refusal(request, '403:denied_by_security_policy:subscribe_denied', { ext: { sfdc: { failureReason } } }),
]
const gaps = (org: ScriptedOrg): number[] => {
  const times = org.of('subscribe').map(({ atMs }) => atMs)
  return times.slice(1).map((at, index) => Math.round(at - times[index]!))
}
const lost = (request: SeenRequest) => [refusal(request, '403::Unknown client', { advice: { reconnect: 'handshake', interval: 0 } })]

describe('python peers: subscribe and unsubscribe', () => {
  it.each(['/topic/Foo', '/u/notifications/Some', '/data/ChangeEvents', "/topic/Foo?Industry='Energy'"])(
    'P40 with nothing stored, %s asks for new events; the replay map names the channel',
    async (channel) => {
      await withRig({}, async ({ client, org, clock }) => {
        const { ready } = client.subscribe(channel)
        await Promise.all([ready, clock.runUntil(() => org.held === 1)])
        // The key of a filtered PushTopic is the topic without its filter: [facts 2.4].
        expect(subscribed(org)).toEqual([
          {
            channel: '/meta/subscribe',
            subscription: channel,
            ext: { replay: { [channel.split('?')[0]!]: -1 } },
            id: '2',
            clientId: 'client1',
          },
        ])
      })
    },
  )

  it.each([
    ['a stored 42', 'stored', { replayId: 42 }, 42],
    ['all', 'all', undefined, -2],
    ['new', 'new', { replayId: 42 }, -1],
    ['an id', 7, { replayId: 42 }, 7],
    ['an id as text', '7', undefined, 7],
    ['a store that answers all', 'stored', 'all', -2],
    ['a store that answers new', undefined, 'new', -1],
  ] as const)('P41 %s is sent as a JSON number', async (_, replay, stored, value) => {
    const replayStore = spyStore(stored ? { '/topic/Foo': stored } : {})
    await withRig({ replayStore }, async ({ client, org, clock }) => {
      const { ready } = client.subscribe('/topic/Foo', replay === undefined ? {} : { replay })
      await Promise.all([ready, clock.runUntil(() => org.held === 1)])
      expect(subscribed(org)[0]?.ext).toEqual({ replay: { '/topic/Foo': value } })
    })
  })

  it('P41 off sends no replay extension', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      const { ready } = client.subscribe('/topic/Foo', { replay: 'off' })
      await Promise.all([ready, clock.runUntil(() => org.held === 1)])
      expect(subscribed(org)[0]).not.toHaveProperty('ext')
    })
  })

  it('P42 a stored 0 is sent as 0', async () => {
    await withRig({ replayStore: spyStore({ '/topic/Foo': { replayId: 0 } }) }, async ({ client, org, clock }) => {
      const { ready } = client.subscribe('/topic/Foo')
      await Promise.all([ready, clock.runUntil(() => org.held === 1)])
      expect(subscribed(org)[0]?.ext).toEqual({ replay: { '/topic/Foo': 0 } })
    })
  })

  it('P43 ready resolves when the org has accepted, not before', async () => {
    let answer = (_: BayeuxMessage[]): void => {}
    const script = inTurn('subscribe', [() => new Promise<BayeuxMessage[]>((resolve) => (answer = resolve))])
    await withRig({ script }, async ({ client, org, clock }) => {
      let ready = false
      void client.subscribe('/topic/Foo').ready.then(() => (ready = true))
      await clock.runUntil(() => org.of('subscribe').length === 1)
      await clock.advance(20_000)
      expect(ready).toBe(false)
      answer(org.friendly(org.of('subscribe')[0]!))
      await clock.runUntil(() => ready)
    })
  })

  it('P44 a refusal rejects ready and the loop with all the org said, and is not asked for again', async () => {
    const denied = (request: SeenRequest) => [
      refusal(request, '403:denied_by_security_policy:create_denied', { ext: { sfdc: { failureReason: '403::No access on channel' } } }),
    ]
    const script = (request: SeenRequest, org: ScriptedOrg) => {
      if (request.messages[0]?.subscription === '/topic/Bad') return denied(request)
      return inTurn('connect', [undefined, undefined, lost])(request, org)
    }
    await withRig({ script }, async ({ client, org, clock, said }) => {
      const subscription = client.subscribe('/topic/Bad')
      const reading = read(subscription)
      await clock.runUntil(() => reading.over)
      const expected = {
        name: 'SubscribeError',
        code: 'subscribe_refused',
        channel: '/topic/Bad',
        retryable: false,
        server: { code: 403, args: ['denied_by_security_policy'], text: 'create_denied', failureReason: '403::No access on channel' },
      }
      expect(await errorOf(subscription.ready)).toMatchObject(expected)
      expect(await reading.ended).toMatchObject(expected)
      expect(said('subscriptionFailed')).toMatchObject([{ channel: '/topic/Bad', error: expected }])
      const good = client.subscribe('/topic/Good')
      await Promise.all([good.ready, clock.runUntil(() => org.held === 1)])
      org.push()
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      expect(subscribed(org).map(({ subscription: channel }) => channel)).toEqual(['/topic/Bad', '/topic/Good', '/topic/Good'])
    })
  })

  const steady = { jitter: 'none' as const }

  it.each(['SERVER_UNAVAILABLE: try later', '503::Server is too busy. Please try your request again later.'])(
    'P45 %s is tried again, with growing delays under the cap',
    async (reason) => {
      const script = inTurn('subscribe', [busy(reason), busy(reason), busy(reason), busy(reason)])
      const retry = { subscribe: { ...steady, baseMs: 100, factor: 3, capMs: 700 } }
      await withRig({ script, retry }, async ({ client, org, clock, said }) => {
        const { ready } = client.subscribe('/topic/Foo')
        await Promise.all([ready, clock.runUntil(() => org.of('subscribe').length === 5)])
        expect(gaps(org)).toEqual([100, 300, 700, 700])
        expect(said('retry').map(({ what, attempt, channel }) => [what, attempt, channel])).toEqual(
          [1, 2, 3, 4].map((attempt) => ['subscribe', attempt, '/topic/Foo']),
        )
      })
    },
  )

  it.each([
    ['6 attempts, 50 ms doubled up to 100', { baseMs: 50, factor: 2, capMs: 100, maxAttempts: 6 }, [50, 100, 100, 100, 100]],
    ['the seed’s defaults, 20 attempts 0.1 s apart', { baseMs: 100, factor: 1, capMs: 30_000, maxAttempts: 20 }, Array(19).fill(100)],
    ['one attempt', { maxAttempts: 1 }, []],
  ])('P46 always refused: %s, then the refusal', async (_, policy, expected) => {
    const script = (request: SeenRequest) => (request.what === 'subscribe' ? busy('503::Server is too busy.')(request) : undefined)
    await withRig({ script, retry: { subscribe: { ...steady, ...policy } } }, async ({ client, org, clock }) => {
      const { ready } = client.subscribe('/topic/Foo')
      const refused = errorOf(ready)
      await clock.advance(600_000)
      expect(await refused).toMatchObject({
        name: 'LimitError',
        code: 'server_busy',
        server: { failureReason: '503::Server is too busy.' },
      })
      expect(gaps(org)).toEqual(expected)
    })
  })

  it('a bound that is given as undefined is not given', async () => {
    const script = (request: SeenRequest) => (request.what === 'subscribe' ? busy('503::Server is too busy.')(request) : undefined)
    const subscribe = { ...steady, baseMs: undefined as unknown as number, maxAttempts: 3 }
    await withRig({ script, retry: { subscribe } }, async ({ client, org, clock }) => {
      const refused = errorOf(client.subscribe('/topic/Foo').ready)
      await clock.advance(600_000)
      expect(await refused).toMatchObject({ code: 'server_busy' })
      expect(gaps(org)).toEqual([500, 1_000])
    })
  })

  it('P47 the caller’s verdict decides: true on two exceptions, false on a refusal', async () => {
    const asked: [string, number][] = []
    const broken = (): Error => new TypeError('fetch failed')
    const script = inTurn('subscribe', [broken, broken, (request) => [refusal(request, '503::Server is too busy')]])
    const retry = {
      subscribe: {
        shouldRetry: (error: { code: string }, attempt: number) => {
          asked.push([error.code, attempt])
          return error.code === 'network'
        },
      },
    }
    await withRig({ script, retry }, async ({ client, org, clock }) => {
      const { ready } = client.subscribe('/topic/Foo')
      const refused = errorOf(ready)
      await clock.advance(600_000)
      expect(await refused).toMatchObject({ code: 'server_busy' })
      expect(org.of('subscribe')).toHaveLength(3)
      expect(asked.map(([code]) => code)).toEqual(['network', 'network', 'server_busy'])
      expect(client.state).toBe('live')
    })
  })

  it('P47 true on a refusal that is final by default has it asked again', async () => {
    const denied = (request: SeenRequest) => [refusal(request, '404::Unknown channel')]
    const retry = { subscribe: { shouldRetry: (_: unknown, attempt: number) => Promise.resolve(attempt < 3) } }
    await withRig({ script: inTurn('subscribe', [denied, denied]), retry }, async ({ client, org, clock }) => {
      await Promise.all([client.subscribe('/u/New').ready, clock.runUntil(() => org.of('subscribe').length === 3)])
    })
  })

  it.each([
    ['403::Organization total events daily limit exceeded', 'LimitError', 'event_limit'],
    ['403:denied_by_security_policy:create_denied', 'SubscribeError', 'subscribe_refused'],
    ['403::Restricted channel', 'SubscribeError', 'subscribe_refused'],
  ])('P48 %s: one request, one login, a typed error', async (error, name, code) => {
    let logins = 0
    const auth = () => Promise.resolve({ accessToken: `00D000000000001!${++logins}`, instanceUrl: 'https://acme.my.salesforce.com' })
    const script = (request: SeenRequest) => (request.what === 'subscribe' ? [refusal(request, error)] : undefined)
    await withRig({ auth, script, retry: { limits: 'fail' } }, async ({ client, org, clock }) => {
      const refused = errorOf(client.subscribe('/event/X__e').ready)
      await clock.advance(3_600_000)
      expect(await refused).toMatchObject({ name, code, channel: '/event/X__e' })
      expect(org.of('subscribe')).toHaveLength(1)
      expect(logins).toBe(1)
    })
  })

  it('P48 by default the daily limit is waited for, in minutes, and reported', async () => {
    const limited = (request: SeenRequest) => [refusal(request, '403::Organization total events daily limit exceeded')]
    await withRig({ script: inTurn('subscribe', [limited, limited]) }, async ({ client, org, clock, said }) => {
      const { ready } = client.subscribe('/event/X__e')
      await Promise.all([ready, clock.runUntil(() => org.of('subscribe').length === 3)])
      expect(Math.min(...gaps(org))).toBeGreaterThanOrEqual(30_000)
      expect(said('limit').map(({ channel, error }) => [channel, error.code])).toEqual(Array(2).fill(['/event/X__e', 'event_limit']))
      expect(org.of('handshake')).toHaveLength(1)
    })
  })

  it.each([
    ['the org’s reply', lost],
    [
      'a reply with neither channel nor id',
      () => [{ error: '403::Unknown client', successful: false, advice: { reconnect: 'handshake' } }],
    ],
  ])('P49 Unknown client on subscribe, in %s: a new handshake, then the subscribe again', async (_, answer) => {
    await withRig({ script: inTurn('subscribe', [answer]) }, async ({ client, org, clock }) => {
      await Promise.all([client.subscribe('/topic/Foo').ready, clock.runUntil(() => org.held === 1 && org.of('handshake').length === 2)])
      expect(subscribed(org).map(({ clientId }) => clientId)).toEqual(['client1', 'client2'])
    })
  })

  it('P50 unsubscribe is sent, and the channel is not subscribed again after a lost session', async () => {
    await withRig({ script: inTurn('connect', [undefined, undefined, lost]) }, async ({ client, org, clock }) => {
      const [foo, bar] = [client.subscribe('/topic/Foo'), client.subscribe('/topic/Bar')]
      const reading = read(foo)
      await Promise.all([foo.ready, bar.ready, clock.runUntil(() => org.held === 1)])
      await Promise.all([client.unsubscribe('/topic/Foo'), clock.runUntil(() => org.of('unsubscribe').length === 1)])
      expect(await reading.ended).toBeUndefined()
      expect(org.of('unsubscribe')[0]?.messages).toEqual([
        { channel: '/meta/unsubscribe', subscription: '/topic/Foo', id: expect.any(String), clientId: 'client1' },
      ])
      org.push()
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      expect(subscribed(org).map(({ subscription }) => subscription)).toEqual(['/topic/Foo', '/topic/Bar', '/topic/Bar'])
    })
  })

  it('P50 unsubscribing an unknown channel does nothing; subscribing before start starts', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      await client.unsubscribe('/topic/Never')
      expect(org.requests).toEqual([])
      await Promise.all([client.subscribe('/topic/Foo').ready, clock.runUntil(() => client.state === 'live')])
    })
  })

  // Peers keep the channel. Our loop has ended by then: what the org goes on sending reaches nobody, and costs nothing but its delivery.
  it('P50 a refused unsubscribe does not bring the subscription back; subscribing again works', async () => {
    const script = inTurn('unsubscribe', [(request) => [refusal(request, '400::no')]])
    await withRig({ script }, async ({ client, org, clock }) => {
      const first = client.subscribe('/topic/Foo')
      await Promise.all([first.ready, clock.runUntil(() => org.held === 1)])
      await Promise.all([client.unsubscribe('/topic/Foo'), clock.runUntil(() => org.of('unsubscribe').length === 1)])
      org.push(platformEvent(1, '/topic/Foo'))
      await clock.runUntil(() => org.held === 1)
      const second = client.subscribe('/topic/Foo')
      const reading = read(second)
      await Promise.all([second.ready, clock.runUntil(() => org.of('subscribe').length === 2)])
      org.push(platformEvent(2, '/topic/Foo'))
      await clock.runUntil(() => reading.events.length === 1)
      expect(reading.ids).toEqual([2])
      expect(first.stats.received).toBe(0)
    })
  })

  it('P51 two concurrent subscriptions of a channel share one wire subscribe, and both are ready', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      begin(client)
      const [first, second] = [client.subscribe('/topic/Foo'), client.subscribe('/topic/Foo')]
      const readings = [read(first), read(second)]
      await Promise.all([first.ready, second.ready, clock.runUntil(() => org.held === 1)])
      org.push(platformEvent(1, '/topic/Foo'))
      await clock.runUntil(() => readings.every(({ events }) => events.length === 1))
      expect(subscribed(org)).toHaveLength(1)
      // The channel is given back with the last of them.
      await first.close()
      await clock.settle()
      expect(org.of('unsubscribe')).toHaveLength(0)
      await Promise.all([second.close(), clock.runUntil(() => org.of('unsubscribe').length === 1)])
    })
  })
})
