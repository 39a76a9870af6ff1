import { describe, expect, it } from 'vitest'
import type { BayeuxMessage } from '../../src/index.ts'
import { begin, gather, inTurn, read, refusal, withRig } from '../support/rig.ts'
import { json, platformEvent, type ScriptedOrg, type SeenRequest } from '../support/scripted-org.ts'

const channel = '/event/Order__e'
const connectReply = ({ messages }: SeenRequest): BayeuxMessage => ({
  channel: '/meta/connect',
  id: messages[0]?.id as string,
  successful: true,
})

/** Answers a request after a while. */
const after = async (clock: { delay(callback: () => void, ms: number): () => void }, ms: number, answer: () => BayeuxMessage[]) => {
  await new Promise<void>((resolve) => clock.delay(resolve, ms))
  return answer()
}

describe('python peers: connect loop and messages', () => {
  it('P25 the connect message, with ids that strictly increase', async () => {
    await withRig({ script: inTurn('handshake', [() => [{ clientId: '4', successful: true }]]) }, async ({ client, org, clock }) => {
      await Promise.all([client.subscribe('/topic/Foo').ready, clock.runUntil(() => org.held === 1)])
      org.push()
      await clock.runUntil(() => org.of('connect').length === 3)
      const sent = org.requests.flatMap(({ messages }) => messages)
      // The first connect asks not to be held: [facts 2.2].
      expect(org.of('connect').map(({ messages }) => messages)).toEqual([
        [{ channel: '/meta/connect', connectionType: 'long-polling', id: '3', clientId: '4', advice: { timeout: 0 } }],
        [{ channel: '/meta/connect', connectionType: 'long-polling', id: '4', clientId: '4' }],
        [{ channel: '/meta/connect', connectionType: 'long-polling', id: '5', clientId: '4' }],
      ])
      expect(sent.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5'])
    })
  })

  /** One Foo, HTTP 408, a meta message with two Foos, silence until the client gives up, and one more. */
  const eventfulPolls = inTurn('connect', [
    () => [platformEvent(1)],
    () => new Response('', { status: 408 }),
    (request) => [
      { channel: '/meta/connect', successful: true, id: request.messages[0]?.id as string },
      platformEvent(2),
      platformEvent(3),
    ],
    () => 'hold',
    (request) => [platformEvent(4), connectReply(request)],
  ])

  it('P26 messages() yields every item of every reply, across a 408 and a timeout, in 5 connects and one that lets out what was queued', async () => {
    await withRig({ script: eventfulPolls }, async ({ client, org, clock }) => {
      const messages: BayeuxMessage[] = []
      const over = gather(client.messages(), messages)
      begin(client)
      await clock.runUntil(() => org.held === 1)
      expect(org.of('connect')).toHaveLength(7)
      expect(
        messages.map((message) =>
          message.channel === channel ? (message.data as { event: { replayId: number } }).event.replayId : message.channel,
        ),
      ).toEqual(['/meta/handshake', 1, '/meta/connect', 2, 3, 4, '/meta/connect', '/meta/connect'])
      await client.stop()
      await over
    })
  })

  // Unlike the seed's, our next connect after a failed one asks again for what the failed one may have carried away.
  it('P27 events() yields what is no meta message, once and in order, across the same failures', async () => {
    const log = [1, 2, 3, 4].map((id) => platformEvent(id))
    const script = (request: SeenRequest, org: ScriptedOrg) => {
      if (request.what === 'subscribe') {
        const from = Object.values(request.messages[0]?.ext?.replay as Record<string, number>)[0] as number
        const missed = from < 0 ? [] : log.slice(from, org.of('connect').length < 5 ? 3 : 4)
        return [...org.friendly(request), ...missed]
      }
      return eventfulPolls(request, org)
    }
    await withRig({ script }, async ({ client, org, clock }) => {
      client.subscribe(channel)
      const reading = read(client.events())
      await clock.runUntil(() => org.held === 1)
      expect(reading.ids).toEqual([1, 2, 3, 4])
      expect(org.of('connect')).toHaveLength(7)
      await client.stop()
      expect(await reading.ended).toBeUndefined()
    })
  })

  it('P27 on /service/, a message with an id is a reply, one with data and no id an event', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      const reading = read(client.subscribe('/service/x'))
      await clock.runUntil(() => org.held === 1)
      org.push(
        { channel: '/service/x', id: '77', successful: true },
        { channel: '/service/x', id: '78', data: { reply: true } },
        { channel: '/service/x', data: { event: { replayId: 5 }, payload: 'an event' } },
      )
      await clock.runUntil(() => reading.events.length > 0)
      expect(reading.events.map(({ payload }) => payload)).toEqual(['an event'])
    })
  })

  it.each([
    ['no id', (): BayeuxMessage => ({ channel: '/meta/connect', successful: true })],
    ['another id', (): BayeuxMessage => ({ channel: '/meta/connect', successful: true, id: 'x99' })],
    [
      'a number for an id',
      (request: SeenRequest): BayeuxMessage => ({ channel: '/meta/connect', successful: true, id: Number(request.messages[0]?.id) }),
    ],
  ])('P28 a connect reply with %s is the reply', async (_, reply) => {
    const script = (request: SeenRequest, org: ScriptedOrg) =>
      request.what === 'connect' && org.of('connect').length < 6 ? [reply(request)] : undefined
    await withRig({ script }, async ({ client, org, clock, said }) => {
      begin(client)
      await clock.runUntil(() => org.held === 1)
      expect(org.of('connect')).toHaveLength(6)
      expect(said('retry')).toEqual([])
    })
  })

  it.each(['before', 'after'])('P29 events %s a subscribe reply are delivered once, in order, and counted', async (where) => {
    const script = inTurn('subscribe', [
      (request, org) =>
        where === 'before'
          ? [platformEvent(1), platformEvent(2), ...org.friendly(request)]
          : [...org.friendly(request), platformEvent(1), platformEvent(2)],
    ])
    await withRig({ script }, async ({ client, org, clock }) => {
      const subscription = client.subscribe(channel)
      const reading = read(subscription)
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(3))
      await clock.runUntil(() => reading.events.length >= 3)
      expect(reading.ids).toEqual([1, 2, 3])
      expect(subscription.stats).toMatchObject({ received: 3, delivered: 3, committed: 3 })
    })
  })

  // They may have crossed with those of the held connect, so they are fetched again in order. [PROTOCOL U9]
  it('P29 events in the reply to another channel’s unsubscribe come by a resubscribe from the last event before them', async () => {
    const unsubscribe = inTurn('unsubscribe', [(request, org) => [platformEvent(7), ...org.friendly(request), platformEvent(8)]])
    const script: typeof unsubscribe = (request, org) =>
      request.what === 'subscribe' && org.of('unsubscribe').length > 1
        ? [...org.friendly(request), platformEvent(7), platformEvent(8)]
        : unsubscribe(request, org)
    await withRig({ script }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      const other = client.subscribe('/event/Other__e')
      await Promise.all([other.ready, clock.runUntil(() => org.held === 1)])
      org.push(platformEvent(6))
      await clock.runUntil(() => reading.events.length === 1 && org.held === 1)
      await Promise.all([other.close(), clock.runUntil(() => reading.events.length === 3)])
      expect(reading.ids).toEqual([6, 7, 8])
      expect(org.of('subscribe').at(-1)?.messages).toMatchObject([{ subscription: channel, ext: { replay: { [channel]: 6 } } }])
    })
  })

  // The seed hands such events on; our loops have ended by then, so the position stays before them and they come again.
  it('P29 events in a disconnect reply come after every loop has ended: not delivered, and the position stays before them', async () => {
    const script = inTurn('disconnect', [(request, org) => [platformEvent(9), ...org.friendly(request)]])
    await withRig({ script }, async ({ client, org, clock }) => {
      const subscription = client.subscribe(channel)
      const reading = read(subscription)
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1))
      await clock.runUntil(() => reading.events.length === 1 && org.held === 1)
      await client.stop()
      await reading.ended
      expect(reading.ids).toEqual([1])
      expect(subscription.stats.committed).toBe(1)
    })
  })

  it('P30 a consumer that takes 120 s an event never costs the session', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      const ids: unknown[] = []
      void (async () => {
        for await (const event of client.subscribe(channel)) {
          await new Promise<void>((resolve) => clock.delay(resolve, 120_000))
          ids.push(event.replayId)
        }
      })()
      await clock.runUntil(() => org.held === 1)
      for (let id = 1; id <= 10; id++) {
        org.push(platformEvent(id))
        await clock.advance(12_000)
        expect(org.held, `after event ${id}`).toBe(1)
      }
      await clock.runUntil(() => ids.length === 10)
      expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      expect(org.of('handshake')).toHaveLength(1)
    })
  })

  it('P31 a full buffer holds the poll, then gives the channel back, and resumes after the last event kept', async () => {
    await withRig({}, async ({ client, org, clock, said }) => {
      const subscription = client.subscribe(channel, { maxBuffered: 4 })
      await Promise.all([subscription.ready, clock.runUntil(() => org.held === 1)])
      org.push(...[1, 2, 3, 4, 5, 6].map((id) => platformEvent(id)))
      await clock.advance(24_000)
      expect(org.held).toBe(0)
      expect(said('paused')).toMatchObject([{ how: 'held', buffered: 6 }])
      await clock.advance(2_000)
      // The session lives on without the channel: a poll is out again well inside the org's 40 s.
      expect(said('paused')).toMatchObject([{ how: 'held' }, { how: 'wire' }])
      expect(org.held).toBe(1)
      expect(org.of('unsubscribe').map(({ messages }) => messages[0]?.subscription)).toEqual([channel])
      await clock.advance(1_000_000)
      expect(org.of('handshake')).toHaveLength(1)
      expect(org.of('subscribe')).toHaveLength(1)
      const reading = read(subscription)
      await clock.runUntil(() => org.of('subscribe').length === 2)
      expect(org.of('subscribe')[1]?.messages[0]?.ext).toEqual({ replay: { [channel]: 6 } })
      await clock.runUntil(() => reading.events.length === 6)
      expect(reading.ids).toEqual([1, 2, 3, 4, 5, 6])
      expect(subscription.stats.duplicates).toBe(0)
    })
  })

  it('P32 any number of iterators share one outstanding connect', async () => {
    let most = 0
    const script = (request: SeenRequest, org: ScriptedOrg) => {
      if (request.what === 'connect') most = Math.max(most, org.held + 1)
      return undefined
    }
    await withRig({ script }, async ({ client, org, clock }) => {
      client.subscribe('/event/A__e')
      client.subscribe('/event/B__e')
      const readings = [read(client.events()), read(client.events()), read(client.subscribe(channel)), read(client.subscribe(channel))]
      await clock.runUntil(() => org.held === 1)
      for (const id of [1, 2, 3]) {
        org.push(platformEvent(id), platformEvent(id, '/event/A__e'))
        await clock.runUntil(() => org.held === 1)
      }
      expect(most).toBe(1)
      await client.stop()
      await Promise.all(readings.map(({ ended }) => ended))
      expect(readings[2]?.ids).toEqual([1, 2, 3])
      expect(readings[3]?.ids).toEqual([1, 2, 3])
      expect([...(readings[0]?.ids ?? []), ...(readings[1]?.ids ?? [])].sort()).toEqual([1, 2, 3])
    })
  })

  const advised = (advice: unknown) => (request: SeenRequest) => [{ ...connectReply(request), advice: advice as Record<string, unknown> }]

  it('P33 the poll’s deadline is the advised timeout and a margin: an event at 42.02 s is received', async () => {
    let clockOf: { delay(callback: () => void, ms: number): () => void } | undefined
    const script = inTurn('connect', [
      advised({ timeout: 42_000, interval: 0, reconnect: 'retry' }),
      (request) => after(clockOf!, 42_020, () => [platformEvent(1), connectReply(request)]),
      () => 'hold',
    ])
    await withRig({ script }, async ({ client, org, clock, said }) => {
      clockOf = clock
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => reading.events.length === 1)
      expect(said('retry')).toEqual([])
      await clock.advance(61_000)
      expect(said('retry')).toEqual([])
      await clock.advance(1_500)
      expect(said('retry').map(({ error }) => error.code)).toEqual(['timeout'])
      expect(org.of('connect').length).toBeGreaterThanOrEqual(3)
    })
  })

  it.each([
    ['no timeout', { interval: 0, reconnect: 'retry' }],
    ['a timeout that is no number', { timeout: '2000', interval: 0 }],
  ])('P34 later advice with %s keeps the timeout known before', async (_, later) => {
    const script = inTurn('connect', [advised({ timeout: 42_000, interval: 0 }), advised(later), () => 'hold'])
    await withRig({ script }, async ({ client, org, clock, said }) => {
      begin(client)
      await clock.runUntil(() => org.of('connect').length === 3)
      await clock.advance(61_000)
      expect(said('retry')).toEqual([])
      await clock.advance(1_500)
      expect(said('retry').map(({ error }) => error.code)).toEqual(['timeout'])
    })
  })

  it.each(['handshake', 'connect'])('P35 a %s has a finite deadline before any advice', async (what) => {
    await withRig({ script: inTurn(what, [() => 'hold']) }, async ({ client, org, clock, said }) => {
      begin(client)
      await clock.runUntil(() => org.of(what).length === 1)
      await clock.advance(29_900)
      expect(said('retry')).toEqual([])
      await clock.advance(200)
      expect(said('retry')).toMatchObject([{ what, error: { name: 'TransportError', code: 'timeout' } }])
      await clock.runUntil(() => client.state === 'live')
    })
  })

  it('P36 an advised interval of 2000 is 2,000 ms', async () => {
    const script = inTurn('connect', [advised({ interval: 2_000, timeout: 110_000, reconnect: 'retry' })])
    await withRig({ script }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => org.held === 1)
      const [first, second] = org.of('connect')
      expect(second!.atMs - first!.atMs).toBe(2_000)
    })
  })

  it('P37 connects refused without advice back off: fewer than 10 in the first second, whatever the dice', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const script = (request: SeenRequest) => (request.what === 'connect' ? [refusal(request, '499::what is this')] : undefined)
      await withRig({ script, seed }, async ({ client, org, clock }) => {
        client.start().catch(() => {})
        await clock.advance(1_000)
        const inFirstSecond = org.of('connect').length
        expect(inFirstSecond, `seed ${seed}`).toBeLessThan(10)
        expect(inFirstSecond, `seed ${seed}`).toBeGreaterThan(0)
        await clock.advance(600_000)
        expect(org.of('connect').length, `seed ${seed}`).toBeLessThan(100)
      })
    }
  })

  const failures: [string, () => Response | Error][] = [
    ...[408, 500, 502, 503, 504, 520].map((status): [string, () => Response] => [
      `HTTP ${status}`,
      () => new Response('<html>', { status }),
    ]),
    ['a reset', () => new TypeError('fetch failed', { cause: new Error('ECONNRESET') })],
    ['a DNS failure', () => new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND') })],
    ['an HTML page', () => new Response('<!doctype html><title>Login</title>', { headers: { 'content-type': 'text/html' } })],
    ['truncated JSON', () => new Response('[{"channel":"/meta/connect","successful":tr')],
    ['an empty body', () => new Response('')],
    ['{}', () => json({})],
    ['[]', () => json([])],
    ['null', () => json(null)],
  ]
  it.each(failures)(
    'P38 %s on a poll: reconnects with growing delays and the same clientId; the loop never notices',
    async (_, failure) => {
      const script = (request: SeenRequest, org: ScriptedOrg) =>
        request.what === 'connect' && [3, 4].includes(org.of('connect').length) ? failure() : undefined
      await withRig({ script }, async ({ client, org, clock, said }) => {
        const reading = read(client.subscribe(channel))
        await clock.runUntil(() => org.held === 1)
        org.push(platformEvent(1))
        await clock.runUntil(() => org.held === 1)
        org.push(platformEvent(2))
        await clock.runUntil(() => reading.events.length === 2)
        // What the broken replies may have carried away is asked for again.
        expect(org.of('subscribe')[1]?.messages[0]?.ext).toEqual({ replay: { [channel]: 1 } })
        expect(new Set(org.of('connect').map(({ messages }) => messages[0]?.clientId))).toEqual(new Set(['client1']))
        expect(org.of('handshake')).toHaveLength(1)
        expect(said('retry').map(({ what, attempt }) => [what, attempt])).toEqual([
          ['connect', 1],
          ['connect', 2],
        ])
        expect(reading.over).toBe(false)
      })
    },
  )

  it('P38 the loop rejects with the last failure once the configured limit is reached', async () => {
    const script = (request: SeenRequest, org: ScriptedOrg) =>
      request.what === 'connect' && org.of('connect').length > 1 ? new Response('', { status: 502 }) : undefined
    await withRig({ script, retry: { connect: { maxAttempts: 4 } } }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => reading.over)
      expect(await reading.ended).toMatchObject({ name: 'TransportError', code: 'http_status', server: { status: 502 } })
      expect(org.of('connect')).toHaveLength(1 + 4)
      expect(client.state).toBe('failed')
    })
  })

  it.each([503, 429])('P39 Retry-After: 5 on HTTP %i is waited for', async (status) => {
    const script = inTurn('connect', [undefined, () => new Response('', { status, headers: { 'retry-after': '5' } })])
    await withRig({ script }, async ({ client, org, clock, said }) => {
      begin(client)
      await clock.runUntil(() => org.of('connect').length >= 3)
      const [, failed, next] = org.of('connect')
      expect(next!.atMs - failed!.atMs).toBeGreaterThanOrEqual(5_000)
      expect(said('retry')[0]?.delayMs).toBeGreaterThanOrEqual(5_000)
    })
  })
})
