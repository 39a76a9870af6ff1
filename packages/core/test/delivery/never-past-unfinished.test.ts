import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StreamEvent } from '../../src/index.ts'
import { bench, event, recordingStore } from '../support/delivery-bench.ts'

const channels = ['/event/A__e', '/event/B__e', '/event/C__e']
type Mode = 'a loop each' | 'events()' | 'two of events()' | 'a loop of one, events() for the others' | 'process()'

/** What an org has published on one channel, and what the program has done with it. Numbers go up by one; replay ids may be shared. */
interface Log {
  published: { id: number; number: number }[]
  handed: number[]
  finished: Set<number>
  /** How much of it some feed was given: groups do not grow behind that. */
  sent: number
}

const numberOf = ({ payload }: StreamEvent): number => (payload as { number: number }).number

/** One program, and whatever may befall it. Throws when a position passes what is not finished, or something is out of order. */
async function program(mode: Mode, pick: (below: number) => number): Promise<void> {
  const store = recordingStore(pick(3) === 0 ? { commitEveryMs: 500 } : {})
  const { client, source, clock } = bench({}, { store })
  const wait = (ms: number): Promise<void> => (ms > 0 ? new Promise((resolve) => void clock.delay(resolve, ms)) : Promise.resolve())
  if (pick(3) === 0) {
    store.onSave = async () => {
      await wait(pick(100))
      if (pick(6) === 0) throw new Error('the disk is full')
    }
  }
  const logs = new Map<string, Log>(channels.map((channel) => [channel, { published: [], handed: [], finished: new Set(), sent: 0 }]))
  const logOf = (channel: string): Log => logs.get(channel) as Log

  const check = (): void => {
    for (const [channel, { published, handed, finished }] of logs) {
      const saved = Number(store.at({ channel })?.replayId ?? 0)
      const passed = published.filter(({ id, number }) => id <= saved && !finished.has(number))
      expect(passed, `${channel} was saved at ${saved}`).toEqual([])
      // Given back, the event in hand is handed out again; nothing else is, and none is left out.
      const isNext = (number: number, at: number): boolean => at === 0 || [0, 1].includes(number - (handed[at - 1] as number))
      if (mode !== 'process()') expect(handed.every(isNext), `${channel}: ${handed}`).toBe(true)
    }
  }

  const subscriptions = channels.map((channel) =>
    client.subscribe(channel, {
      replay: 'all',
      maxBuffered: [3, 20, 1_000][pick(3)] as number,
      ...(pick(3) === 0 && { until: { maxEvents: 1 + pick(8), idleMs: 60_000 } }),
    }),
  )
  await clock.settle()

  const loop = async (events: AsyncIterator<StreamEvent>): Promise<void> => {
    let inHand: StreamEvent | undefined
    for (;;) {
      const next = events.next()
      if (inHand) logOf(inHand.channel).finished.add(numberOf(inHand))
      const { done, value } = await next
      if (done) return
      inHand = value
      logOf(value.channel).handed.push(numberOf(value))
      await wait(pick(3) === 0 ? pick(200) : 0)
      check()
      if (pick(60) === 0) return void (await events.return?.())
    }
  }
  const handler = async (handled: StreamEvent): Promise<void> => {
    await wait(pick(150))
    check()
    if (pick(80) === 0) throw new Error('the handler failed')
    logOf(handled.channel).finished.add(numberOf(handled))
  }
  const consumers: Record<Mode, () => Promise<void>[]> = {
    'a loop each': () => subscriptions.map((each) => loop(each[Symbol.asyncIterator]())),
    'events()': () => [loop(client.events())],
    'two of events()': () => [loop(client.events()), loop(client.events())],
    'a loop of one, events() for the others': () => [
      loop((subscriptions[0] as (typeof subscriptions)[0])[Symbol.asyncIterator]()),
      loop(client.events()),
    ],
    'process()': () =>
      subscriptions.map((each) =>
        each.process(handler, {
          concurrency: 1 + pick(4),
          ...(pick(2) === 0 && { orderBy: (one: StreamEvent) => String(numberOf(one) % 3) }),
        }),
      ),
  }
  const failures: unknown[] = []
  for (const consumer of consumers[mode]()) {
    consumer.catch((error: unknown) => {
      if (!/the handler failed/.test(String(error))) failures.push(error)
    })
  }

  const given = new WeakMap<object, number>()
  for (let step = 0; step < 60; step++) {
    const { published, sent } = logOf(channels[pick(3)] as string)
    for (let more = pick(5); more > 0; more--) {
      const last = published.at(-1)
      const shares = last && sent < published.length && pick(4) === 0
      published.push({ id: (last?.id ?? 0) + (shares ? 0 : 1), number: (last?.number ?? 0) + 1 })
    }
    for (const feed of source.openFeeds) {
      const { channel, position } = feed.request
      const log = logOf(channel)
      const after = log.published.findIndex(({ id }) => position === 'all' || id > Number(position))
      const from = given.get(feed) ?? (after < 0 ? log.published.length : after)
      given.set(feed, from)
      if (pick(2) === 0) continue
      const complete = pick(12) > 0
      let to = Math.min(log.published.length, from + pick(12))
      // A whole reply ends with a whole group.
      while (complete && to > 0 && to < log.published.length && log.published[to]?.id === log.published[to - 1]?.id) to++
      if (to <= from) continue
      const messages = log.published
        .slice(from, to)
        .map(({ id, number }) => ({ ...event(id, { number }, { EventUuid: `u${number}` }), channel }))
      feed.reply(messages, { complete })
      given.set(feed, to)
      log.sent = Math.max(log.sent, to)
      if (!complete || pick(15) === 0) feed.lose()
    }
    if (pick(40) === 0) subscriptions[pick(3)]?.close().catch(() => {})
    if (pick(3) === 0) await clock.advance(pick(300))
    else await clock.settle()
    check()
  }
  client.stop().catch(() => {})
  await clock.advance(120_000)
  check()
  expect(failures).toEqual([])
  expect(clock.pending).toBe(0)
}

describe('no position passes an unfinished event, whatever replies, drains, stores and consumers do [PROTOCOL D4]', () => {
  test.each<Mode>(['a loop each', 'events()', 'two of events()', 'a loop of one, events() for the others', 'process()'])(
    '%s',
    async (mode) => {
      const whatever = fc.asyncProperty(fc.gen(), (draw) => program(mode, (below) => draw(fc.nat, { max: below - 1 })))
      await fc.assert(whatever, { numRuns: Number(process.env.RUNS ?? 40) })
    },
  )
})

test('a cut reply without an id leaves open the group that an earlier one has broken [PROTOCOL D4]', async () => {
  const { client, source, clock, store } = bench()
  const [name] = channels as [string]
  const one = (id: number, number: number) => ({ ...event(id, { number }, { EventUuid: `u${number}` }), channel: name })
  const nameless = { channel: name, data: { payload: { number: 0 } } }
  const iterator = client.subscribe(name, { replay: 'all' })[Symbol.asyncIterator]()
  const handed: number[] = []
  const take = async (count: number): Promise<void> => {
    for (; count > 0; count--) handed.push(numberOf((await iterator.next()).value))
    await clock.settle()
  }
  await clock.settle()
  source.feed.reply([one(4, 1), one(5, 2)], { complete: false })
  source.feed.lose()
  await take(2)
  source.feed.reply([nameless], { complete: false })
  source.feed.lose()
  await take(1)
  expect(store.at({ channel: name })?.replayId).toBe(4)
  source.feed.reply([one(5, 2), one(5, 3)])
  await take(1)
  expect(handed).toEqual([1, 2, 0, 3])
  expect(store.at({ channel: name })?.replayId).toBe(4)
  void iterator.next()
  await clock.settle()
  expect(store.at({ channel: name })?.replayId).toBe(5)
  await client.stop()
})
