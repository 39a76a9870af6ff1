import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StateError, type Subscription, TransportError } from '../../src/index.ts'
import { type Bench, bench, channel, event, stateOf } from '../support/delivery-bench.ts'

interface Keyed {
  n: number
  key: string
}
const keyed = (n: number, key: string): ReturnType<typeof event> => event(n, { key })
const hot = (from: number, to: number): ReturnType<typeof event>[] =>
  Array.from({ length: to - from + 1 }, (_, at) => keyed(from + at, 'hot'))

/** `process()` by key, with handlers that end when told to. */
function processing(subscription: Subscription<Keyed>, concurrency = 2) {
  const begun: number[] = []
  const open = new Map<number, () => void>()
  const done = subscription.process(
    ({ payload }) => {
      begun.push(payload.n)
      return new Promise<void>((resolve) => open.set(payload.n, resolve))
    },
    { concurrency, orderBy: ({ payload }) => payload.key },
  )
  done.catch(() => {})
  return {
    begun,
    done,
    async end({ clock }: Bench, n: number): Promise<void> {
      open.get(n)?.()
      open.delete(n)
      await clock.settle()
    },
    running: () => [...open.keys()],
  }
}

describe('process() by key', () => {
  test('a busy key takes one slot, however much waits for it, and keeps no other key waiting', async () => {
    const b = bench()
    const work = processing(b.client.subscribe<Keyed>(channel))
    await b.clock.settle()
    b.source.feed.reply([...hot(1, 50), keyed(51, 'a'), keyed(52, 'b'), keyed(53, 'c')])
    await b.clock.settle()
    expect(work.running()).toEqual([1, 51])
    for (const n of [51, 52, 53]) await work.end(b, n)
    expect(work.begun).toEqual([1, 51, 52, 53])
    for (let n = 1; n <= 50; n++) await work.end(b, n)
    expect(work.begun.slice(4)).toEqual(Array.from({ length: 49 }, (_, at) => at + 2))
    expect(b.store.at()).toMatchObject({ replayId: 53 })
    await b.client.stop()
    await work.done
  })

  test('what waits for its key is buffered, by number and bytes: it fills the marks and holds the polls', async () => {
    for (const marks of [{ maxBuffered: 10 }, { maxBufferedBytes: 1_000 }]) {
      const b = bench()
      const subscription = b.client.subscribe<Keyed>(channel, marks)
      const work = processing(subscription)
      await b.clock.settle()
      b.source.feed.reply(hot(1, 11))
      await b.clock.settle()
      expect([b.source.holds, subscription.stats]).toMatchObject([0, { delivered: 1, buffered: 10 }])
      b.source.feed.reply(hot(12, 12))
      await b.clock.settle()
      expect([b.source.holds, subscription.stats]).toMatchObject([1, { delivered: 1, buffered: 11 }])
      for (let n = 1; n <= 8; n++) await work.end(b, n)
      expect(b.source.holds).toBe(1)
      for (let n = 9; n <= 10; n++) await work.end(b, n)
      expect(b.source.holds).toBe(0)
      b.client.askStop()
      for (let n = 11; n <= 12; n++) await work.end(b, n)
      await work.done
      expect(subscription.stats).toMatchObject({ delivered: 12, buffered: 0, ended: 'stopped' })
      await b.client.stop()
      expect([b.store.at(), b.clock.pending]).toMatchObject([{ replayId: 12 }, 0])
    }
  })

  test.each(['close', 'abort', 'a failing handler'])('%s: what waits for its key is not begun any more', async (how) => {
    const b = bench()
    const abort = new AbortController()
    const subscription = b.client.subscribe<Keyed>(channel, { signal: abort.signal })
    let fail = (): void => {}
    const begun: number[] = []
    const done = subscription.process(
      ({ payload }) => {
        begun.push(payload.n)
        return new Promise<void>((resolve, reject) => {
          fail = how === 'a failing handler' ? () => reject(new Error('mine')) : resolve
        })
      },
      { concurrency: 2, orderBy: ({ payload }) => payload.key },
    )
    done.catch(() => {})
    await b.clock.settle()
    b.source.feed.reply(hot(1, 5))
    await b.clock.settle()
    if (how === 'close') await subscription.close()
    if (how === 'abort') abort.abort(new Error('mine'))
    fail()
    expect(await stateOf(b.clock, done)).toMatchObject(how === 'close' ? { resolved: undefined } : { rejected: { message: 'mine' } })
    expect(begun).toEqual([1])
    expect(subscription.stats.buffered).toBe(0)
    await b.client.stop()
    expect(b.store.at()?.replayId).toBe(how === 'a failing handler' ? undefined : 1)
  })

  test('a fault rejects it after what waits for its key', async () => {
    const b = bench()
    const work = processing(b.client.subscribe<Keyed>(channel))
    await b.clock.settle()
    b.source.feed.reply(hot(1, 3))
    await b.clock.settle()
    b.source.feed.fail(new TransportError({ code: 'network', message: 'gone', remediation: 'none' }))
    await b.clock.settle()
    for (let n = 1; n <= 3; n++) {
      expect(await stateOf(b.clock, work.done)).toBe('pending')
      await work.end(b, n)
    }
    await expect(work.done).rejects.toThrow('gone')
    expect(b.store.at()).toMatchObject({ replayId: 3 })
  })

  test('an abort after askStop() rejects it at once', async () => {
    const b = bench()
    const abort = new AbortController()
    const work = processing(b.client.subscribe<Keyed>(channel, { signal: abort.signal }))
    await b.clock.settle()
    b.source.feed.reply(hot(1, 3))
    await b.clock.settle()
    b.client.askStop()
    abort.abort(new Error('now'))
    expect(await stateOf(b.clock, work.done)).toMatchObject({ rejected: { message: 'now' } })
  })

  test('orderBy that throws ends it with its error', async () => {
    const b = bench()
    const done = b.client.subscribe<Keyed>(channel).process(() => {}, {
      orderBy: () => {
        throw new Error('no key')
      },
    })
    await b.clock.settle()
    b.source.feed.reply(hot(1, 1))
    await expect(done).rejects.toThrow('no key')
    expect(b.store.at()).toBeUndefined()
  })

  test.each<[string, unknown, unknown?]>([
    ['process(): concurrency is 0.', { concurrency: 0 }],
    ['process(): concurrency is -1.', { concurrency: -1 }],
    ['process(): concurrency is NaN.', { concurrency: Number.NaN }],
    ["process(): orderBy is 'Id'.", { orderBy: 'Id' }],
    ["process() has no option 'concurency'.", { concurency: 2 }],
    ['process() needs an object, not null.', null],
    ['process() has no handler.', {}, 'handle'],
  ])('%s is told at once, and the subscription stays free', (message, options, handler = () => {}) => {
    const subscription = bench().client.subscribe(channel)
    expect(() => subscription.process(handler as () => void, options as object)).toThrow(
      expect.objectContaining({ code: 'bad_option', message }),
    )
    subscription[Symbol.asyncIterator]()
    expect(() => subscription.process(() => {})).toThrow(StateError)
  })

  test('a drain by number takes exactly as many, those that wait for their key too', async () => {
    const b = bench()
    const subscription = b.client.subscribe<Keyed>(channel, { until: { maxEvents: 3 } })
    const work = processing(subscription)
    await b.clock.settle()
    b.source.feed.reply(hot(1, 9))
    await b.clock.settle()
    for (let n = 1; n <= 3; n++) await work.end(b, n)
    await work.done
    expect(work.begun).toEqual([1, 2, 3])
    expect(subscription.stats).toMatchObject({ ended: 'maxEvents', delivered: 3, buffered: 0 })
    expect(b.store.at()).toMatchObject({ replayId: 3 })
  })
})

test('whatever ends when: each event once, those of a key in order, no more at once than allowed, no slot idle while any key could go on', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 25 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 10 }),
      async (keys, concurrency, choices) => {
        const b = bench()
        const work = processing(b.client.subscribe<Keyed>(channel), concurrency)
        await b.clock.settle()
        b.source.feed.reply(keys.map((key, at) => keyed(at, key)))
        await b.clock.settle()
        const ended = new Set<number>()
        for (let turn = 0; work.running().length > 0; turn++) {
          const running = work.running()
          const unfinished = keys.flatMap((_, at) => (ended.has(at) ? [] : [at]))
          const busyKeys = new Set(unfinished.map((at) => keys[at]))
          expect(running.length).toBe(Math.min(concurrency, busyKeys.size))
          // The first unfinished one of its key, each.
          for (const at of running) expect(unfinished.find((other) => keys[other] === keys[at])).toBe(at)
          const finish = running[(choices[turn % choices.length] as number) % running.length] as number
          ended.add(finish)
          await work.end(b, finish)
          // The position never passes an unfinished event.
          const first = keys.findIndex((_, at) => !ended.has(at))
          expect(b.store.at()?.replayId).toBe(first < 0 ? keys.length - 1 : first === 0 ? undefined : first - 1)
        }
        expect(work.begun.length).toBe(keys.length)
        await b.client.stop()
        await work.done
      },
    ),
    { numRuns: 60 },
  )
})
