import { virtualClock } from '@sfstream/mock-org'
import { describe, expect, test } from 'vitest'
import { createClient, LimitError, ReplayError, type StreamEvent, type Subscription } from '../../src/index.ts'
import { type Bench, bench, channel, event, events, recordingStore } from '../support/delivery-bench.ts'
import { scriptedOrg } from '../support/scripted-org.ts'

const refusal = (): ReplayError => new ReplayError({ code: 'replay_refused', message: 'too old', remediation: 'none', channel })

/** Reads in the background: ids in order, and the error at the end. */
function read(subscription: Subscription): { ids: unknown[]; uuids: unknown[]; error: unknown } {
  const reading = { ids: [] as unknown[], uuids: [] as unknown[], error: undefined as unknown }
  void (async () => {
    for await (const each of subscription as AsyncIterable<StreamEvent>) {
      reading.ids.push(each.replayId)
      reading.uuids.push(each.eventUuid)
    }
  })().catch((error: unknown) => {
    reading.error = error
  })
  return reading
}
const dated = (id: number, at: number, uuid?: string): ReturnType<typeof event> =>
  event(id, { CreatedDate: new Date(at).toISOString() }, uuid ? { EventUuid: uuid } : {})
const positionsAsked = ({ source }: Bench): unknown[] => source.feeds.map(({ request }) => request.position)

describe('where a subscription begins', () => {
  test.each([
    [undefined, undefined, 'new'],
    ['stored', undefined, 'new'],
    [undefined, { replayId: 7 }, 7],
    [undefined, { replayId: '12345678901234567' }, '12345678901234567'],
    ['new', { replayId: 7 }, 'new'],
    ['all', { replayId: 7 }, 'all'],
    ['off', { replayId: 7 }, 'off'],
    [9, { replayId: 7 }, 9],
    ['12345678901234567', undefined, '12345678901234567'],
    ['42', undefined, 42],
  ] as const)('replay %j with %j stored: %j', async (replay, stored, expected) => {
    const b = bench()
    if (stored) b.store.positions.set(`00D000000000001 ${channel} default`, stored as never)
    b.client.subscribe(channel, replay === undefined ? {} : { replay: replay as never })
    await b.clock.settle()
    expect(positionsAsked(b)).toEqual([expected])
  })

  test.each([-1, 1.5, 'x', '', '007', Number.NaN, null])('replay %j is refused at once', (replay) => {
    expect(() => bench().client.subscribe(channel, { replay: replay as never })).toThrow(expect.objectContaining({ code: 'bad_replay' }))
  })

  test('the store may answer all or new, is asked with the consumer, and saves under the same key', async () => {
    const b = bench({ consumer: 'billing' })
    b.store.onLoad = () => Promise.resolve('all')
    const reading = read(b.client.subscribe(channel))
    await b.clock.settle()
    expect(positionsAsked(b)).toEqual(['all'])
    expect(b.store.loads).toEqual([{ org: '00D000000000001', channel, consumer: 'billing' }])
    b.source.feed.reply(events(1, 2))
    await b.clock.settle()
    expect(reading.ids).toEqual([1, 2])
    expect(b.store.at({ consumer: 'billing' })).toMatchObject({ replayId: 2 })
  })

  test('a store that cannot be read fails the subscription, typed; one that never answers does after 30 s', async () => {
    const broken = bench()
    broken.store.onLoad = () => Promise.reject(new Error('EIO'))
    const first = read(broken.client.subscribe(channel))
    await broken.clock.settle()
    expect(first.error).toMatchObject({ name: 'ReplayError', code: 'store_unreadable', message: expect.stringContaining('EIO') })
    const silent = bench()
    silent.store.onLoad = () => new Promise(() => {})
    const second = read(silent.client.subscribe(channel))
    await silent.clock.advance(30_000)
    expect(second.error).toMatchObject({ code: 'store_unreadable' })
    expect(silent.clock.pending).toBe(0)
  })

  test.each([
    ['a Date', new Date(0)],
    ['a number', 7],
    ['false', false],
    ['an empty text', ''],
    ['another word', 'latest'],
    ['an array', [7]],
    ['no id', { createdDate: '2026-01-05T12:00:00Z' }],
    ['NaN', { replayId: Number.NaN }],
    ['a negative id', { replayId: -1 }],
    ['half an id', { replayId: '12x' }],
    ['a rounded id', { replayId: 2 ** 60 }],
    ['a Date for an id', { replayId: new Date(0) }],
    ['a bigint', { replayId: 7n }],
  ])('a store that answers %s is unreadable, typed, and nothing in it is overwritten', async (_, garbage) => {
    const b = bench()
    b.store.onLoad = () => Promise.resolve(garbage as never)
    const reading = read(b.client.subscribe(channel))
    await b.clock.settle()
    expect(reading.error).toMatchObject({ name: 'ReplayError', code: 'store_unreadable', channel, cause: expect.any(Error) })
    await b.client.stop()
    expect([b.source.feeds, b.store.saves]).toEqual([[], []])
  })

  test('positions of other orgs and none for this one are reported; a hint that fails is none', async () => {
    const known = bench({}, { store: recordingStore({ orgs: () => Promise.resolve(['00D000000000002']) }) })
    known.client.subscribe(channel)
    await known.clock.settle()
    expect(known.told('replayGap')).toEqual([{ type: 'replayGap', channel, reason: 'unknown-org', from: undefined, to: 'new' }])
    const failing = bench({}, { store: recordingStore({ orgs: () => Promise.reject(new Error('EIO')) }) })
    failing.client.subscribe(channel)
    await failing.clock.settle()
    expect(failing.told('replayGap')).toEqual([])
    expect(positionsAsked(failing)).toEqual(['new'])
  })
})

describe('a refused position', () => {
  test.each(['all', 'new'] as const)('replayFallback %s: begins there, and says so', async (replayFallback) => {
    const b = bench({ replayFallback })
    const reading = read(b.client.subscribe(channel, { replay: 7 }))
    await b.clock.settle()
    const error = refusal()
    b.source.feed.refuse(error)
    await b.clock.settle()
    expect(positionsAsked(b)).toEqual([7, replayFallback])
    expect(b.told('replayGap')).toEqual([{ type: 'replayGap', channel, reason: 'position-refused', from: 7, to: replayFallback, error }])
    b.source.feed.reply([event(1)])
    await b.clock.settle()
    expect(reading.ids).toEqual([1])
  })

  test("replayFallback 'fail' rejects with the refusal", async () => {
    const b = bench({ replayFallback: 'fail' })
    const reading = read(b.client.subscribe(channel, { replay: 7 }))
    await b.clock.settle()
    const error = refusal()
    b.source.feed.refuse(error)
    await b.clock.settle()
    expect(reading.error).toBe(error)
  })

  test('in the middle of a run: what is replayed is delivered, but for uuids known', async () => {
    const b = bench()
    const reading = read(b.client.subscribe(channel))
    await b.clock.settle()
    b.source.feed.reply([event(1, {}, { EventUuid: 'a' }), event(2)])
    b.source.feed.lose()
    await b.clock.settle()
    expect(positionsAsked(b)).toEqual(['new', 2])
    b.source.feed.refuse(refusal())
    await b.clock.settle()
    b.source.feed.reply([event(1, {}, { EventUuid: 'a' }), event(2), event(3)])
    await b.clock.settle()
    expect(reading.ids).toEqual([1, 2, 2, 3])
  })
})

describe('a lost session', () => {
  test('resumes after the last event accepted into the buffer, not the last consumed, and drops repeats', async () => {
    const b = bench()
    const subscription = b.client.subscribe(channel)
    await b.clock.settle()
    b.source.feed.reply(events(1, 5))
    b.source.feed.lose()
    await b.clock.settle()
    expect(positionsAsked(b)).toEqual(['new', 5])
    expect(b.told('resubscribed')).toEqual([{ type: 'resubscribed', channel, from: 5 }])
    b.source.feed.reply(events(4, 7))
    await b.clock.settle()
    expect(subscription.stats).toMatchObject({ received: 7, duplicates: 2, buffered: 7, delivered: 0 })
  })

  test('with gap report, and no position: new events, and the gap is told', async () => {
    const b = bench({ gap: 'report' })
    b.client.subscribe(channel)
    await b.clock.settle()
    b.source.feed.lose()
    await b.clock.settle()
    expect(positionsAsked(b)).toEqual(['new', 'new'])
    expect(b.told('replayGap')).toEqual([{ type: 'replayGap', channel, reason: 'no-position', from: undefined, to: 'new' }])
  })

  test('before the channel was accepted: nothing was missed', async () => {
    const b = bench({ gap: 'report' })
    b.source.manual = true
    b.client.subscribe(channel)
    await b.clock.settle()
    b.source.feed.lose()
    await b.clock.settle()
    expect(positionsAsked(b)).toEqual(['new', 'new'])
    expect(b.told('replayGap')).toEqual([])
  })

  test('with gap replay: all, of which only what is dated over 5 minutes before the first acceptance is dropped; its last is the position', async () => {
    const b = bench()
    const reading = read(b.client.subscribe(channel))
    await b.clock.settle()
    const acceptedAt = b.clock.now()
    await b.clock.advance(60_000)
    b.source.feed.lose()
    await b.clock.settle()
    expect(positionsAsked(b)).toEqual(['new', 'all'])
    expect(b.source.feed.request.failOnLimit).toBe(true)
    b.source.feed.reply([
      dated(1, acceptedAt - 300_001),
      dated(2, acceptedAt - 300_000),
      event(3),
      dated(4, acceptedAt + 1),
      dated(5, acceptedAt - 900_000),
    ])
    await b.clock.settle()
    expect(reading.ids).toEqual([2, 3, 4])
    await b.client.unsubscribe(channel)
    expect(b.store.at()).toMatchObject({ replayId: 5 })
  })

  test('with gap replay: a replay of old events alone is paid for once', async () => {
    const b = bench()
    read(b.client.subscribe(channel))
    await b.clock.settle()
    const acceptedAt = b.clock.now()
    b.source.feed.lose()
    await b.clock.settle()
    b.source.feed.reply([dated(1, acceptedAt - 1e6), dated(2, acceptedAt - 9e5)])
    await b.clock.advance(0)
    expect(b.store.at()).toMatchObject({ replayId: 2 })
    b.source.feed.lose()
    await b.clock.settle()
    expect(positionsAsked(b)).toEqual(['new', 'all', 2])
    // The rest of that replay is as old; what is of the time after it is not judged any more.
    b.source.feed.reply([dated(3, acceptedAt - 8e5)])
    await b.clock.settle()
    expect(b.store.at()).toMatchObject({ replayId: 3 })
  })

  test('with gap replay: once per channel and process', async () => {
    const b = bench()
    for (const times of [1, 2]) {
      const subscription = b.client.subscribe(channel)
      await b.clock.settle()
      b.source.feed.lose()
      await b.clock.settle()
      expect(b.source.feed.request.position).toBe(times === 1 ? 'all' : 'new')
      await subscription.close()
    }
    expect(b.told('replayGap')).toMatchObject([{ reason: 'no-position' }])
  })

  test('with gap replay: a limit makes it new, with a gap', async () => {
    const b = bench()
    read(b.client.subscribe(channel))
    await b.clock.settle()
    b.source.feed.lose()
    await b.clock.settle()
    const error = new LimitError({ code: 'event_limit', message: 'daily', remediation: 'wait' })
    b.source.feed.refuse(error)
    await b.clock.settle()
    expect(positionsAsked(b)).toEqual(['new', 'all', 'new'])
    expect(b.told('replayGap')).toEqual([{ type: 'replayGap', channel, reason: 'limit', from: undefined, to: 'new', error }])
  })

  test("with replay 'off': never a position, and the gap is told", async () => {
    const b = bench()
    read(b.client.subscribe(channel, { replay: 'off' }))
    await b.clock.settle()
    b.source.feed.reply(events(1, 2))
    b.source.feed.lose()
    await b.clock.settle()
    expect(positionsAsked(b)).toEqual(['off', 'off'])
    expect(b.told('replayGap')).toEqual([{ type: 'replayGap', channel, reason: 'no-position', from: 2, to: 'off' }])
  })
})

describe('another org', () => {
  test('begins at what is stored for it, says so, and keeps the positions of both apart', async () => {
    const b = bench({ commit: 'manual' })
    b.store.positions.set(`00D000000000002 ${channel} default`, { replayId: 70 })
    const iterator = b.client.subscribe(channel)[Symbol.asyncIterator]()
    await b.clock.settle()
    b.source.feed.reply(events(1, 2))
    const first: StreamEvent = (await iterator.next()).value
    b.source.orgName = '00D000000000002'
    b.source.feed.lose()
    await b.clock.settle()
    expect(positionsAsked(b)).toEqual(['new', 70])
    expect(b.told('replayGap')).toEqual([{ type: 'replayGap', channel, reason: 'other-org', from: undefined, to: 70 }])
    b.source.feed.reply(events(1, 3))
    await first.commit()
    await ((await iterator.next()).value as StreamEvent).commit()
    const other: StreamEvent = (await iterator.next()).value
    await other.commit()
    expect(other.replayId).toBe(1)
    expect(b.store.at()).toMatchObject({ replayId: 2 })
    expect(b.store.at({ org: '00D000000000002' })).toMatchObject({ replayId: 1 })
    await b.client.stop()
  })
})

describe('an org that is come back to', () => {
  test('what was unfinished there when it was left holds the position back', async () => {
    const b = bench({ commit: 'manual' })
    const numbered = (...ids: number[]) => ids.map((id) => event(id, {}, { EventUuid: `u${id}` }))
    const iterator = b.client.subscribe(channel, { replay: 'all' })[Symbol.asyncIterator]()
    await b.clock.settle()
    b.source.feed.reply(numbered(1, 2, 3))
    const all: StreamEvent[] = []
    for (let at = 0; at < 3; at++) all.push((await iterator.next()).value)
    await all[0]?.commit()
    for (const org of ['00D000000000002', '00D000000000001']) {
      b.source.orgName = org
      b.source.feed.lose()
      await b.clock.settle()
    }
    expect(positionsAsked(b)).toEqual(['all', 'new', 1])
    // 2 and 3 are known by their uuids: they are still in hand.
    b.source.feed.reply(numbered(2, 3, 4))
    const last: StreamEvent = (await iterator.next()).value
    expect(last.replayId).toBe(4)
    const committed = last.commit()
    committed.catch(() => {})
    await b.clock.settle()
    expect(b.store.at()).toEqual({ replayId: 1 })
    void all[2]?.commit()
    await all[1]?.commit()
    await committed
    expect(b.store.at()).toEqual({ replayId: 4 })
    await b.client.stop()
  })
})

describe('another org, on the wire', () => {
  const first = { accessToken: '00D000000000001!one', instanceUrl: 'https://acme.my.salesforce.com' }
  const second = { accessToken: '00D000000000002!two', instanceUrl: 'https://acme.my.salesforce.com' }

  test.each(['while a poll is held', 'while the position is loaded', 'before the position is loaded'])(
    'a refreshed token of another org never meets a position of the first: %s',
    async (when) => {
      const clock = virtualClock()
      let refused = false
      let refuse = (): void => {}
      const org = scriptedOrg(clock.now, (request) => {
        const is401 =
          request.what === 'connect' &&
          request.headers.get('authorization') === 'Bearer 00D000000000001!one' &&
          !request.messages[0]?.advice
        if (!is401) return undefined
        return new Promise<Response>((resolve) => {
          refuse = () => resolve(new Response('', { status: 401 }))
          if (refused) refuse()
          request.signal.addEventListener('abort', () => resolve(new Response('', { status: 503 })))
        })
      })
      const store = recordingStore()
      store.positions.set(`00D000000000001 ${channel} default`, { replayId: 10 })
      store.positions.set(`00D000000000002 ${channel} default`, { replayId: 20 })
      let load = (): void => {}
      if (when !== 'while a poll is held') {
        store.onLoad = () => {
          store.onLoad = undefined
          return new Promise((resolve) => {
            load = () => resolve({ replayId: 10 })
          })
        }
      }
      let logIn = (): void => {}
      let logins = 0
      const auth = (): Promise<typeof first> => {
        if (logins++ === 0) return Promise.resolve(first)
        return new Promise((resolve) => {
          logIn = () => resolve(second)
        })
      }
      const client = createClient({
        auth,
        platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
        replayStore: store,
      })
      client.subscribe(channel)
      await clock.settle()
      refused = true
      refuse()
      await clock.settle()
      expect(logins).toBe(2)
      if (when !== 'before the position is loaded') load()
      await clock.settle()
      logIn()
      await clock.runUntil(() => org.held === 1)
      load()
      await clock.settle()
      const asked = org
        .of('subscribe')
        .map(({ headers, messages }) => [headers.get('authorization')?.slice(-3), (messages[0]!.ext as { replay: unknown }).replay])
      expect(asked.filter(([token]) => token === 'two')).toEqual([['two', { [channel]: 20 }]])
      await client.stop()
      expect({ timers: clock.pending, held: org.held }).toEqual({ timers: 0, held: 0 })
    },
  )

  test('nor does a token of another org that a later start brings, however soon it comes', async () => {
    for (let turns = 0; turns < 40; turns++) {
      const clock = virtualClock()
      const org = scriptedOrg(clock.now, ({ headers }) =>
        headers.get('authorization')?.endsWith('one') ? new Response('', { status: 401 }) : undefined,
      )
      const store = recordingStore()
      store.positions.set(`00D000000000001 ${channel} default`, { replayId: 10 })
      store.positions.set(`00D000000000002 ${channel} default`, { replayId: 20 })
      let logins = 0
      const auth = async (): Promise<typeof first> => {
        if (++logins === 2) throw new Error('nobody is there')
        for (let turn = 0; logins === 3 && turn < turns; turn++) await undefined
        return logins === 1 ? first : second
      }
      const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
      const client = createClient({ auth, platform, replayStore: store })
      const failing = client.start().catch((error: unknown) => error)
      await clock.advance(1_000)
      expect(await failing).toMatchObject({ code: 'login_refused' })
      client.start().catch(() => {})
      client.subscribe(channel)
      await clock.runUntil(() => org.held === 1)
      await clock.settle()
      expect(org.of('subscribe').map(({ messages }) => (messages[0]!.ext as { replay: unknown }).replay)).toEqual([{ [channel]: 20 }])
      await client.stop()
    }
  })
})

describe('identity', () => {
  const enriched = (id: number, record: string): ReturnType<typeof event> => event(id, { ChangeEventHeader: { recordIds: [record] } })

  test('an empty uuid names no event: what follows a lost session is handed out', async () => {
    const b = bench()
    const reading = read(b.client.subscribe(channel))
    const bare = (id: number): ReturnType<typeof event> => event(id, {}, { EventUuid: '' })
    await b.clock.settle()
    b.source.feed.reply([bare(1)])
    b.source.feed.lose()
    await b.clock.settle()
    b.source.feed.reply([bare(2), bare(3)])
    await b.clock.settle()
    expect(reading.ids).toEqual([1, 2, 3])
  })

  test('the org publishing one thing twice is none of our business', async () => {
    const b = bench()
    const reading = read(b.client.subscribe(channel))
    await b.clock.settle()
    b.source.feed.reply([event(1, {}, { EventUuid: 'a' }), event(2, {}, { EventUuid: 'a' }), event(3), event(3)])
    await b.clock.settle()
    expect(reading.ids).toEqual([1, 2, 3, 3])
  })

  test('repeats are dropped from a resubscribe until the first unseen event, then nothing is', async () => {
    const b = bench()
    const reading = read(b.client.subscribe(channel))
    await b.clock.settle()
    b.source.feed.reply(events(1, 3))
    b.source.feed.lose()
    await b.clock.settle()
    b.source.feed.reply([event(2), event(3)])
    b.source.feed.reply([event(3), event(4), event(3), event(1)])
    await b.clock.settle()
    expect(reading.ids).toEqual([1, 2, 3, 4, 3, 1])
  })

  test('by uuid, though the replay id is another; by record id, where the replay id is shared; by digits beyond numbers', async () => {
    const b = bench()
    const reading = read(b.client.subscribe(channel))
    const long = '90071992547409930'
    await b.clock.settle()
    b.source.feed.reply([event(1, {}, { EventUuid: 'a' }), enriched(2, 'r1'), enriched(2, 'r2'), event(long)])
    b.source.feed.lose()
    await b.clock.settle()
    expect(b.source.feed.request.position).toBe(long)
    b.source.feed.reply([
      event(9, {}, { EventUuid: 'a' }),
      enriched(2, 'r1'),
      enriched(2, 'r2'),
      event(long),
      enriched(2, 'r3'),
      event('90071992547409931'),
    ])
    await b.clock.settle()
    expect(reading.ids).toEqual([1, 2, 2, long, 2, '90071992547409931'])
  })

  test('the memory is bounded at 10,000', async () => {
    const b = bench()
    const subscription = b.client.subscribe(channel, { maxBuffered: 1e6 })
    await b.clock.settle()
    b.source.feed.reply(events(1, 10_001))
    b.source.feed.lose()
    await b.clock.settle()
    b.source.feed.reply([event(2), event(1)])
    await b.clock.settle()
    expect(subscription.stats).toMatchObject({ duplicates: 1, received: 10_002 })
  })
})

describe('sharing a channel', () => {
  test("a second subscription at 'new' shares it; one at another position is refused", async () => {
    const b = bench()
    const first = read(b.client.subscribe(channel))
    const second = read(b.client.subscribe(channel, { replay: 'new' }))
    for (const replay of ['all', 'stored', 'off', 7] as const) {
      expect(() => b.client.subscribe(channel, { replay })).toThrow(
        expect.objectContaining({ name: 'StateError', code: 'channel_in_use', channel }),
      )
    }
    await b.clock.settle()
    expect(b.source.feeds).toHaveLength(1)
    b.source.feed.reply(events(1, 3))
    await b.clock.settle()
    expect([first.ids, second.ids]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  test('the first keeps the position; with it gone, nobody takes its place in silence', async () => {
    const b = bench()
    const first = b.client.subscribe(channel)
    const iterator = first[Symbol.asyncIterator]()
    const second = b.client.subscribe(channel)
    const reading = read(second)
    await b.clock.settle()
    b.source.feed.reply(events(1, 3))
    await iterator.next()
    await iterator.next()
    await b.clock.settle()
    expect(b.store.at()).toMatchObject({ replayId: 1 })
    await first.close()
    expect(reading.ids).toEqual([1, 2, 3])
    expect(b.store.at()).toMatchObject({ replayId: 1 })
    expect(() => b.client.subscribe(channel)).toThrow(expect.objectContaining({ code: 'channel_in_use' }))
    b.client.subscribe(channel, { replay: 'new' })
    await b.client.unsubscribe(channel)
    b.client.subscribe(channel)
    await b.clock.settle()
    expect(b.source.feed.request.position).toBe(1)
  })
})
