import { describe, expect, it } from 'vitest'
import { type BayeuxMessage, createClient, memoryReplayStore } from '../../src/index.ts'
import { errorOf, inTurn, read, refusal, spyStore, withRig } from '../support/rig.ts'
import { platformEvent, type ScriptedOrg, type SeenRequest } from '../support/scripted-org.ts'

const channel = '/event/Order__e'
const topicEvent = (topic: string, replayId: number, createdDate: string): BayeuxMessage => ({
  channel: topic,
  data: { event: { createdDate, replayId, type: 'created' }, sobject: { Id: 'a00D0000009YbwQIAS' } },
})
const positions = (org: ScriptedOrg): unknown[] =>
  org.of('subscribe').flatMap(({ messages }) => messages.map(({ ext }) => Object.values(ext?.replay as Record<string, unknown>)[0]))
const lost = (request: SeenRequest) => [refusal(request, '403::Unknown client', { advice: { reconnect: 'handshake', interval: 0 } })]
const badId = (request: SeenRequest) => [
  refusal(
    request,
    '400::The replayId {5} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.',
  ),
]
const now = '2026-01-05T12:00:00.000Z'

describe('python peers: replay', () => {
  it('P52 the store sees channel, id and the date as received, of each event that is finished', async () => {
    const replayStore = spyStore()
    await withRig({ replayStore }, async ({ client, org, clock }) => {
      const readings = [read(client.subscribe('/topic/Foo0')), read(client.subscribe('/topic/Foo1'))]
      const dates = ['2016-03-29T19:05:28.334Z', '2016-03-29T19:05:29.000+0000', '2016-03-29T19:05:30Z']
      const events = [
        topicEvent('/topic/Foo0', 1, dates[0]!),
        topicEvent('/topic/Foo1', 1, dates[1]!),
        topicEvent('/topic/Foo0', 2, dates[2]!),
      ]
      for (const event of events) {
        await clock.runUntil(() => org.held === 1)
        org.push(event)
      }
      await clock.runUntil(() => replayStore.saves.length === 3)
      expect(replayStore.saves).toEqual([
        { channel: '/topic/Foo0', position: { replayId: 1, createdDate: dates[0] } },
        { channel: '/topic/Foo1', position: { replayId: 1, createdDate: dates[1] } },
        { channel: '/topic/Foo0', position: { replayId: 2, createdDate: dates[2] } },
      ])
      expect(replayStore.keys[0]).toEqual({ org: '00D000000000001', channel: '/topic/Foo0', consumer: 'default' })
      expect(readings.map(({ ids }) => ids)).toEqual([[1, 2], [1]])
    })
  })

  it.each<[string, BayeuxMessage, string | undefined]>([
    [
      'P53 a platform event’s CreatedDate',
      { channel, data: { schema: 's', payload: { CreatedDate: '2022-03-24T15:34:18.123Z' }, event: { replayId: 5 } } },
      '2022-03-24T15:34:18.123Z',
    ],
    [
      'P53 a change event’s commit timestamp',
      {
        channel,
        data: {
          payload: { ChangeEventHeader: { commitTimestamp: 1551962064000 }, CreatedDate: '2019-03-07T12:34:24.000Z' },
          event: { replayId: 5 },
        },
      },
      '1551962064000',
    ],
    ['P54 no date but EventDate', { channel, data: { payload: { EventDate: '2022-01-01T00:00:00Z' }, event: { replayId: 5 } } }, undefined],
    ['P54 nothing but an id', { channel, data: { event: { replayId: 5 } } }, undefined],
    ['P54 a date that is no text', { channel, data: { payload: { CreatedDate: 12 }, event: { replayId: 5 } } }, undefined],
  ])('%s: delivered, and its id stored', async (_, message, createdDate) => {
    const replayStore = spyStore()
    await withRig({ replayStore }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      org.push(message)
      await clock.runUntil(() => replayStore.saves.length === 1)
      expect(reading.events[0]).toMatchObject({ createdDate, replayId: 5 })
      expect(replayStore.saves[0]?.position).toEqual(createdDate === undefined ? { replayId: 5 } : { replayId: 5, createdDate })
    })
  })

  // aiosfstream compares dates. Dates are no order: the org logs events minutes after their date, and ids may restart lower.
  // What arrived last is where the stream stands; ids are opaque and only ever compared for equality.
  it('P55 a position follows the order of arrival: an older date or a lower id moves it too', async () => {
    const replayStore = spyStore()
    await withRig({ replayStore }, async ({ client, org, clock }) => {
      read(client.subscribe('/topic/Foo'))
      await clock.runUntil(() => org.held === 1)
      org.push(topicEvent('/topic/Foo', 9, '2026-01-02T00:00:00.000Z'), topicEvent('/topic/Foo', 4, '2026-01-01T00:00:00.000Z'))
      await clock.runUntil(() => replayStore.saves.length > 0 && org.held === 1)
      expect(replayStore.positions.get('/topic/Foo')).toEqual({ replayId: 4, createdDate: '2026-01-01T00:00:00.000Z' })
    })
  })

  it('P56 a failed event holds the position back, and comes again after a restart', async () => {
    const replayStore = spyStore({ [channel]: { replayId: 5 } })
    await withRig({ replayStore }, async ({ client, org, clock }) => {
      const handled: unknown[] = []
      const failed = errorOf(
        client.subscribe(channel).process(
          async ({ replayId }) => {
            // 7 takes longer than 8, and fails.
            await new Promise<void>((resolve) => clock.delay(resolve, replayId === 7 ? 50 : 10))
            if (replayId === 7) throw new Error('no room')
            handled.push(replayId)
          },
          { concurrency: 3 },
        ),
      )
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(6), platformEvent(7), platformEvent(8))
      await clock.advance(1_000)
      expect((await failed).message).toBe('no room')
      expect(handled).toEqual([6, 8])
      expect(replayStore.positions.get(channel)).toMatchObject({ replayId: 6 })
    })
    await withRig({ replayStore }, async ({ client, org, clock }) => {
      await Promise.all([client.subscribe(channel).ready, clock.runUntil(() => org.held === 1)])
      expect(positions(org)).toEqual([6])
    })
  })

  it('P56 with manual commits too: 8 is committed before 7, and the position stays at 6 until 7 is', async () => {
    const replayStore = spyStore()
    await withRig({ replayStore, commit: 'manual' }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(6), platformEvent(7), platformEvent(8))
      await clock.runUntil(() => reading.events.length === 3)
      const [six, seven, eight] = reading.events
      await six?.commit()
      let eightDurable = false
      void eight?.commit().then(() => (eightDurable = true))
      await clock.settle()
      expect([eightDurable, replayStore.positions.get(channel)]).toMatchObject([false, { replayId: 6 }])
      await seven?.commit()
      await clock.settle()
      expect([eightDurable, replayStore.positions.get(channel)]).toMatchObject([true, { replayId: 8 }])
    })
  })

  it('P57 with manual commits and none made, nothing is stored', async () => {
    const replayStore = spyStore()
    await withRig({ replayStore, commit: 'manual' }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1), platformEvent(2))
      await clock.runUntil(() => reading.events.length === 2)
      await client.stop()
      expect(replayStore.saves).toEqual([])
    })
  })

  // aiosfstream stores an id as it hands the event over, so a crash in the loop's body loses it. Ours is finished when the next is asked for.
  it('P57 automatic: an id is stored when its event is finished, not when handed over, and never when merely buffered', async () => {
    const replayStore = spyStore()
    await withRig({ replayStore }, async ({ client, org, clock }) => {
      const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
      const first = iterator.next()
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1), platformEvent(2), platformEvent(3))
      await clock.runUntil(() => org.held === 1)
      expect((await first).value.replayId).toBe(1)
      await clock.advance(5_000)
      expect(replayStore.saves).toEqual([])
      await iterator.next()
      await clock.settle()
      expect(replayStore.saves.map(({ position }) => position.replayId)).toEqual([1])
      // Left with 2 in hand: it is not finished.
      await iterator.return?.()
      await clock.settle()
      expect(replayStore.saves.map(({ position }) => position.replayId)).toEqual([1])
    })
  })

  it('P58 a failing store is reported and tried again, the stream goes on, and saves of a channel never overlap', async () => {
    let [running, most, attempts] = [0, 0, 0]
    const saved: unknown[] = []
    let delay = (_: () => void): void => {}
    const replayStore = {
      load: () => Promise.resolve(undefined),
      async save(_: unknown, { replayId }: { replayId: unknown }) {
        most = Math.max(most, ++running)
        await new Promise<void>((resolve) => delay(resolve))
        running--
        if (++attempts <= 2) throw new Error('disk full')
        saved.push(replayId)
      },
    }
    await withRig({ replayStore }, async ({ client, org, clock, said }) => {
      delay = (resolve) => void clock.delay(resolve, 100)
      const reading = read(client.subscribe(channel))
      for (let id = 1; id <= 5; id++) {
        await clock.runUntil(() => org.held === 1)
        org.push(platformEvent(id))
        await clock.advance(20)
      }
      expect(reading.ids).toEqual([1, 2, 3, 4, 5])
      await clock.runUntil(() => saved.includes(5))
      expect(said('storeFailed').map(({ channel: name, error }) => [name, error.code, error.message])).toEqual(
        Array(2).fill([channel, 'store_failed', expect.stringContaining('disk full')]),
      )
      expect(most).toBe(1)
    })
  })

  it.each([
    ['two spaces', badId],
    [
      'one space',
      (request: SeenRequest) => badId(request).map((reply) => ({ ...reply, error: String(reply.error).replace('.  P', '. P') })),
    ],
  ])('P59 a refused position (%s in the text) falls back to all, and the gap is reported', async (_, refused) => {
    const replayStore = spyStore({ [channel]: { replayId: 5 } })
    await withRig({ replayStore, script: inTurn('subscribe', [refused]) }, async ({ client, org, clock, said }) => {
      await Promise.all([client.subscribe(channel).ready, clock.runUntil(() => org.held === 1)])
      expect(positions(org)).toEqual([5, -2])
      expect(said('replayGap')).toMatchObject([
        { channel, reason: 'position-refused', from: 5, to: 'all', error: { name: 'ReplayError', server: { code: 400 } } },
      ])
    })
  })

  it('P59 the fallback may be new', async () => {
    const replayStore = spyStore({ [channel]: { replayId: 5 } })
    await withRig({ replayStore, replayFallback: 'new', script: inTurn('subscribe', [badId]) }, async ({ client, org, clock, said }) => {
      await Promise.all([client.subscribe(channel).ready, clock.runUntil(() => org.held === 1)])
      expect(positions(org)).toEqual([5, -1])
      expect(said('replayGap')).toMatchObject([{ from: 5, to: 'new' }])
    })
  })

  it('P60 without a fallback a refused position rejects, with code 400', async () => {
    const replayStore = spyStore({ [channel]: { replayId: 5 } })
    await withRig({ replayStore, replayFallback: 'fail', script: inTurn('subscribe', [badId]) }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => reading.over)
      expect(await reading.ended).toMatchObject({ name: 'ReplayError', code: 'replay_refused', channel, server: { code: 400 } })
      expect(org.of('subscribe')).toHaveLength(1)
      expect(replayStore.positions.get(channel)).toEqual({ replayId: 5 })
    })
  })

  it('P60 a 400 that is not about positions has no fallback', async () => {
    const replayStore = spyStore({ [channel]: { replayId: 5 } })
    const script = inTurn('subscribe', [
      (request) => [refusal(request, `400::The channel you requested to subscribe to doesn't exist {${channel}}`)],
    ])
    await withRig({ replayStore, script }, async ({ client, org, clock, said }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => reading.over)
      expect(await reading.ended).toMatchObject({ name: 'SubscribeError', code: 'subscribe_refused' })
      expect(org.of('subscribe')).toHaveLength(1)
      expect(said('replayGap')).toEqual([])
    })
  })

  it.each(['all', 'fail'] as const)(
    'P61 a position refused on a resubscribe of our own, fallback %s: recovered or rejected, never connected with nothing subscribed',
    async (replayFallback) => {
      const script = (request: SeenRequest, org: ScriptedOrg) =>
        inTurn('connect', [undefined, undefined, lost])(request, org) ?? inTurn('subscribe', [undefined, badId])(request, org)
      await withRig({ replayFallback, script }, async ({ client, org, clock, said }) => {
        const reading = read(client.subscribe(channel))
        await clock.runUntil(() => org.held === 1)
        org.push(platformEvent(5))
        await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
        if (replayFallback === 'fail') {
          expect(await reading.ended).toMatchObject({ code: 'replay_refused' })
          return
        }
        expect(positions(org)).toEqual([-1, 5, -2])
        expect(said('replayGap')).toHaveLength(1)
        org.push(platformEvent(6))
        await clock.runUntil(() => reading.events.length === 2)
        expect(reading.ids).toEqual([5, 6])
      })
    },
  )

  it.each([
    ['new', -1],
    ['all', -2],
  ] as const)('P62 begun at %s, a lost session is resumed after the last event, not there again', async (replay, value) => {
    const script = inTurn('connect', [undefined, undefined, undefined, lost])
    await withRig({ script }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel, { replay }))
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(10), platformEvent(11))
      await clock.runUntil(() => org.held === 1)
      org.push()
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      expect(positions(org)).toEqual([value, 11])
      expect(reading.ids).toEqual([10, 11])
    })
  })

  it('P63 buffered events survive a lost session; what the server sends again is dropped', async () => {
    const script = inTurn('connect', [undefined, undefined, undefined, lost])
    await withRig({ script }, async ({ client, org, clock }) => {
      const subscription = client.subscribe(channel)
      const iterator = subscription[Symbol.asyncIterator]()
      const first = iterator.next()
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1), platformEvent(2), platformEvent(3))
      await clock.runUntil(() => org.held === 1)
      expect((await first).value.replayId).toBe(1)
      org.push()
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      expect(positions(org)).toEqual([-1, 3])
      org.push(platformEvent(2), platformEvent(3), platformEvent(4))
      await clock.runUntil(() => org.held === 1)
      const rest = [await iterator.next(), await iterator.next(), await iterator.next()]
      expect(rest.map(({ value }) => value.replayId)).toEqual([2, 3, 4])
      expect(subscription.stats).toMatchObject({ duplicates: 2, delivered: 4, buffered: 0 })
    })
  })

  it('P64 a plain id, a store, and a store that answers a start are all taken', async () => {
    const store = memoryReplayStore()
    await store.save({ org: '00D000000000001', channel, consumer: 'default' }, { replayId: 41 })
    await withRig({ replayStore: store }, async ({ client, org, clock }) => {
      const subscriptions = [
        client.subscribe(channel),
        client.subscribe('/event/Other__e', { replay: 42 }),
        client.subscribe('/event/Third__e'),
      ]
      await Promise.all([...subscriptions.map(({ ready }) => ready), clock.runUntil(() => org.held === 1)])
      expect(positions(org).sort()).toEqual([-1, 41, 42])
    })
  })

  it.each([-1, 1.5, Number.NaN, 2 ** 53, 'yesterday', '-1', '', {}, null, true])('P64 %j is no position: a typed error', async (replay) => {
    await withRig({}, async ({ client, org }) => {
      expect(() => client.subscribe(channel, { replay: replay as number })).toThrow(
        expect.objectContaining({ name: 'ReplayError', code: 'bad_replay' }),
      )
      expect(org.requests).toEqual([])
    })
  })

  it('P64 a store without load and save is refused when the client is made', () => {
    const auth = { accessToken: 'token', instanceUrl: 'https://acme.my.salesforce.com' }
    for (const replayStore of [{}, new Map(), { load: () => undefined }]) {
      expect(() => createClient({ auth, replayStore: replayStore as never })).toThrow(expect.objectContaining({ code: 'bad_option' }))
    }
  })

  it.each([{ replayId: -3 }, { replayId: 'x' }, { replayId: 1.5 }])(
    'P64 a store that answers %j fails the subscription, typed',
    async (stored) => {
      await withRig({ replayStore: spyStore({ [channel]: stored as { replayId: number } }) }, async ({ client, clock }) => {
        const reading = read(client.subscribe(channel))
        await clock.runUntil(() => reading.over)
        expect(await reading.ended).toMatchObject({ name: 'ReplayError', code: 'store_unreadable' })
      })
    },
  )

  it('P62 with no event yet, everything is replayed once and what is older than the subscription dropped', async () => {
    const script = inTurn('connect', [undefined, undefined, lost])
    await withRig({ script }, async ({ client, org, clock }) => {
      const subscription = client.subscribe(channel)
      const reading = read(subscription)
      await clock.runUntil(() => org.held === 1)
      await clock.advance(1_000)
      org.push()
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      expect(positions(org)).toEqual([-1, -2])
      org.push(platformEvent(1), platformEvent(2, channel, { CreatedDate: now }))
      await clock.runUntil(() => reading.events.length === 1)
      expect(reading.ids).toEqual([2])
    })
  })
})
