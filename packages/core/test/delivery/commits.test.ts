import { describe, expect, test } from 'vitest'
import type { StreamEvent } from '../../src/index.ts'
import { bench, channel, event, events, recordingStore, stateOf } from '../support/delivery-bench.ts'

const refuse = (): Promise<void> => Promise.reject(new Error('disk full'))

describe('commits: auto', () => {
  test('asking for the next event finishes the one before', async () => {
    const { client, source, clock, store } = bench()
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 3))
    await iterator.next()
    await clock.settle()
    expect(store.at()).toBeUndefined()
    await iterator.next()
    await clock.settle()
    expect(store.at()).toMatchObject({ replayId: 1 })
  })

  test.each(['break', 'throw', 'abort'])('an event in hand when the loop is left by %s is not finished, and comes again', async (how) => {
    const { client, source, clock, store } = bench()
    const abort = new AbortController()
    const leave = async (): Promise<void> => {
      for await (const each of client.subscribe(channel, { signal: abort.signal })) {
        if (each.replayId !== 2) continue
        if (how === 'break') break
        if (how === 'throw') throw new Error('mine')
        abort.abort(new Error('mine'))
      }
    }
    const left = leave().then(
      () => 'left',
      (error: Error) => error.message,
    )
    await clock.settle()
    source.feed.reply(events(1, 3))
    expect(await left).toBe(how === 'break' ? 'left' : 'mine')
    await clock.settle()
    expect(store.at()).toMatchObject({ replayId: 1 })
    client.subscribe(channel)
    await clock.settle()
    expect(source.feed.request.position).toBe(1)
  })

  test('unless commit() was called, even after the loop was left', async () => {
    const { client, source, clock, store } = bench()
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 2))
    const { value } = await iterator.next()
    await iterator.return?.()
    await (value as StreamEvent).commit()
    expect(store.at()).toMatchObject({ replayId: 1 })
  })

  test('an events() loop that is left gives back the event in hand, and finishes those before it', async () => {
    const { client, source, clock, store } = bench()
    const subscription = client.subscribe(channel)
    const loop = client.events()
    await clock.settle()
    source.feed.reply(events(1, 3))
    await loop.next()
    await loop.next()
    await loop.return?.()
    await clock.settle()
    expect(store.at()).toMatchObject({ replayId: 1 })
    expect(subscription.stats).toMatchObject({ delivered: 1, buffered: 2 })
    const seen: unknown[] = []
    for await (const each of subscription) {
      seen.push(each.replayId)
      if (seen.length === 2) break
    }
    expect(seen).toEqual([2, 3])
    await clock.settle()
    expect(store.at()).toMatchObject({ replayId: 2 })
  })
})

describe('commits: the store', () => {
  test('next() never waits for it; one save is in flight, and the newest position follows', async () => {
    const { client, source, clock, store } = bench()
    let land = (): void => {}
    store.onSave = () =>
      new Promise((resolve) => {
        land = resolve
      })
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 50))
    for (let times = 0; times < 50; times++) await iterator.next()
    await clock.settle()
    expect(store.saves).toEqual([{ replayId: 1 }])
    land()
    // What was finished meanwhile is one save, at the end of the turn.
    await clock.advance(0)
    expect(store.saves).toEqual([{ replayId: 1 }, { replayId: 49 }])
    land()
    await client.stop()
    expect(store.saves).toHaveLength(2)
    expect(store.maxInFlight).toBe(1)
  })

  test('one save of a key is in flight even across a close and a new subscription, which resumes after what was finished', async () => {
    const { client, source, clock, store } = bench()
    const lands: (() => void)[] = []
    store.onSave = () => new Promise((resolve) => lands.push(resolve))
    const first = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 3))
    for (let times = 0; times < 3; times++) await first.next()
    await first.return?.()
    const second = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    expect(source.feed.request.position).toBe(2)
    source.feed.reply(events(3, 5))
    for (let times = 0; times < 3; times++) await second.next()
    await clock.settle()
    expect(lands).toHaveLength(1)
    while (lands.length > 0) {
      lands.shift()?.()
      await clock.settle()
    }
    expect(store.maxInFlight).toBe(1)
    expect(store.at()).toMatchObject({ replayId: 4 })
  })

  test('positions lag at most commitEveryMs behind', async () => {
    const store = recordingStore({ commitEveryMs: 1_000 })
    const { client, source, clock } = bench({}, { store })
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    for (let id = 1; id <= 20; id++) {
      source.feed.reply([event(id)])
      await iterator.next()
      await clock.advance(300)
    }
    // 6 s of events: one save a second, and the first at once.
    expect(store.saves.length).toBeGreaterThan(4)
    expect(store.saves.length).toBeLessThanOrEqual(7)
    await clock.advance(1_000)
    expect(store.at()).toMatchObject({ replayId: 19 })
    expect(clock.pending).toBe(0)
  })

  test('a failing store is reported, tried again with growing delays, and blocks nobody', async () => {
    const { client, source, clock, store, told } = bench()
    store.onSave = refuse
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 100))
    for (let times = 0; times < 100; times++) await iterator.next()
    await clock.settle()
    expect(store.saves).toHaveLength(1)
    expect(told('storeFailed')).toMatchObject([{ channel, error: { code: 'store_failed', retryable: true } }])
    await clock.advance(10_000)
    expect(store.saves.length).toBe(4)
    store.onSave = undefined
    await clock.advance(60_000)
    expect(store.at()).toMatchObject({ replayId: 99 })
    expect(clock.pending).toBe(0)
  })

  test('commit(), close() and stop() reject while it fails, leave no timer, and the last word counts', async () => {
    const { client, source, clock, store } = bench()
    store.onSave = refuse
    const subscription = client.subscribe(channel)
    const iterator = subscription[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 3))
    const { value } = await iterator.next()
    await expect((value as StreamEvent).commit()).rejects.toMatchObject({ code: 'store_failed' })
    await expect(subscription.close()).rejects.toMatchObject({ code: 'store_failed', message: expect.stringContaining('disk full') })
    await expect(client.stop()).rejects.toMatchObject({ code: 'store_failed' })
    expect(clock.pending).toBe(0)
    store.onSave = undefined
    await subscription.close()
    expect(store.at()).toMatchObject({ replayId: 1 })
  })

  test('how the last run ended is told to who stopped it, and keeps nobody from starting again', async () => {
    const { client, source, clock, store } = bench()
    store.onSave = refuse
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 3))
    await iterator.next()
    await iterator.next()
    const stopped = client.stop().catch((error: unknown) => error)
    const started = client.start()
    expect(await stopped).toMatchObject({ code: 'store_failed' })
    await started
  })

  test('a store that throws at once is a failing store', async () => {
    const save = (): never => {
      throw new Error('sync')
    }
    const { client, source, clock, told } = bench({ replayStore: { load: () => Promise.resolve(undefined), save } })
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 2))
    await iterator.next()
    await iterator.next()
    await clock.settle()
    expect(told('storeFailed')).toHaveLength(1)
  })

  test('a save that never answers is reported after 10 s; stop() rejects then, and no second save overtakes it', async () => {
    const { client, source, clock, store, told } = bench()
    store.onSave = () => new Promise(() => {})
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 3))
    await iterator.next()
    await iterator.next()
    const parked = client.subscribe('/event/Other__e')[Symbol.asyncIterator]().next()
    const stopped = stateOf(clock, client.stop())
    expect(await stopped).toBe('pending')
    expect(await stateOf(clock, parked)).toMatchObject({ resolved: { done: true } })
    const again = client.stop().catch((error: unknown) => error)
    await clock.advance(10_000)
    expect(await again).toMatchObject({ code: 'store_failed' })
    expect(told('storeFailed')).toHaveLength(1)
    expect(store.saves).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  test('commit() resolves when durable, not before', async () => {
    const { client, source, clock, store } = bench({ commit: 'manual' })
    let land = (): void => {}
    store.onSave = () =>
      new Promise((resolve) => {
        land = resolve
      })
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 2))
    const committed = ((await iterator.next()).value as StreamEvent).commit()
    expect(await stateOf(clock, committed)).toBe('pending')
    land()
    expect(await stateOf(clock, committed)).toEqual({ resolved: undefined })
    expect(store.at()).toMatchObject({ replayId: 1 })
  })

  test('without a store commit() resolves, and nothing is remembered for it', async () => {
    const { client, source, clock } = bench({ replayStore: null, commit: 'manual' })
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    for (let id = 1; id <= 12_000; id += 1_000) {
      source.feed.reply(events(id, id + 999))
      for (let times = 0; times < 1_000; times++) await iterator.next()
    }
    expect(source.holds).toBe(0)
    source.feed.reply([event(20_000)])
    await ((await iterator.next()).value as StreamEvent).commit()
  })
})

describe('commits: manual, a low-water mark', () => {
  test('out of order: each waits for the earlier ones', async () => {
    const { client, source, clock, store } = bench({ commit: 'manual' })
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 4))
    const all: StreamEvent[] = []
    for (let times = 0; times < 4; times++) all.push((await iterator.next()).value)
    const third = all[2]?.commit() as Promise<void>
    const second = all[1]?.commit() as Promise<void>
    expect(await stateOf(clock, third)).toBe('pending')
    expect(store.saves).toEqual([])
    await all[0]?.commit()
    await Promise.all([second, third])
    expect(store.saves).toEqual([{ replayId: 3 }])
  })

  test('one that can no longer be reached rejects at close, and after it', async () => {
    const { client, source, clock, store } = bench({ commit: 'manual' })
    const subscription = client.subscribe(channel)
    const iterator = subscription[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 3))
    const all: StreamEvent[] = []
    for (let times = 0; times < 3; times++) all.push((await iterator.next()).value)
    const refused = expect(all[1]?.commit()).rejects.toMatchObject({ name: 'StateError', code: 'client_stopped', channel })
    await subscription.close()
    await refused
    await expect(all[2]?.commit()).rejects.toMatchObject({ code: 'client_stopped' })
    expect(store.at()).toBeUndefined()
  })

  test('events of equal ids become a position together, and a loop that awaits each commit does not hang', async () => {
    const { client, source, clock, store } = bench({ commit: 'manual' })
    const saved: unknown[] = []
    const loop = (async () => {
      for await (const each of client.subscribe(channel)) {
        await each.commit()
        saved.push(store.at()?.replayId)
      }
    })()
    await clock.settle()
    source.feed.reply([event(1), event(2), event(2), event(2), event(3)])
    await clock.settle()
    expect(saved).toEqual([1, 1, 1, 2, 3])
    await client.stop()
    await loop
  })

  test('equal ids split by a cut reply: resumed from before the group, which becomes a position as a whole', async () => {
    const { client, source, clock, store } = bench()
    const seen: unknown[] = []
    const loop = (async () => {
      for await (const each of client.subscribe(channel)) seen.push(each.eventUuid)
    })()
    const part = (replayId: number, uuid: string): ReturnType<typeof event> => event(replayId, {}, { EventUuid: uuid })
    await clock.settle()
    source.feed.reply([part(1, 'a'), part(2, 'b'), part(2, 'c')], { complete: false })
    source.feed.lose()
    await clock.settle()
    expect(store.at()).toMatchObject({ replayId: 1 })
    expect(source.feed.request.position).toBe(1)
    source.feed.reply([part(2, 'b'), part(2, 'c'), part(2, 'd')])
    await clock.settle()
    expect(seen).toEqual(['a', 'b', 'c', 'd'])
    expect(store.at()).toMatchObject({ replayId: 2 })
    await client.stop()
    await loop
  })

  test('uncommitted events are bounded: polls are held, and go on when they are committed', async () => {
    const { client, source, clock, told } = bench({ commit: 'manual' })
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    const all: StreamEvent[] = []
    while (all.length < 20_000 && source.holds === 0) {
      source.feed.reply(events(all.length + 1, all.length + 500))
      for (let times = 0; times < 500; times++) all.push((await iterator.next()).value)
      await clock.settle()
    }
    expect(all.length).toBeLessThanOrEqual(11_000)
    expect(told('paused')).toHaveLength(1)
    for (const each of all.slice(0, 8_000)) void each.commit()
    await clock.settle()
    expect(source.holds).toBe(0)
    await client.stop()
  })
})

describe('process()', () => {
  test('concurrency and orderBy: events of one key in order, never more at once, and the mark never passes an unfinished one', async () => {
    const { client, source, clock, store } = bench()
    const log: string[] = []
    const finish = new Map<number, () => void>()
    const running = client.subscribe<{ n: number; key: string }>(channel).process(
      ({ payload }) => {
        log.push(`begin ${payload.n}`)
        return new Promise<void>((resolve) => finish.set(payload.n, resolve))
      },
      { concurrency: 3, orderBy: ({ payload }) => payload.key },
    )
    await clock.settle()
    source.feed.reply([event(1, { key: 'a' }), event(2, { key: 'a' }), event(3, { key: 'b' }), event(4, { key: 'b' })])
    await clock.settle()
    expect(log).toEqual(['begin 1', 'begin 3'])
    finish.get(3)?.()
    await clock.settle()
    expect(log).toEqual(['begin 1', 'begin 3', 'begin 4'])
    expect(store.at()).toBeUndefined()
    finish.get(1)?.()
    await clock.settle()
    expect(log.at(-1)).toBe('begin 2')
    expect(store.at()).toMatchObject({ replayId: 1 })
    finish.get(2)?.()
    await clock.settle()
    expect(store.at()).toMatchObject({ replayId: 3 })
    finish.get(4)?.()
    await clock.settle()
    await client.stop()
    await running
    expect(store.at()).toMatchObject({ replayId: 4 })
  })

  test('a handler that fails ends it at once on a quiet channel too; the others are awaited and count', async () => {
    const { client, source, clock, store } = bench()
    const settle = new Map<number, { resolve(): void; reject(error: Error): void }>()
    const running = client
      .subscribe<{ n: number }>(channel)
      .process(({ payload }) => new Promise<void>((resolve, reject) => settle.set(payload.n, { resolve, reject })), { concurrency: 3 })
    const outcome = stateOf(clock, running)
    expect(await outcome).toBe('pending')
    source.feed.reply(events(1, 2))
    await clock.settle()
    settle.get(2)?.reject(new Error('handler'))
    await clock.settle()
    expect(source.openFeeds).toHaveLength(0)
    settle.get(1)?.resolve()
    await expect(running).rejects.toThrow('handler')
    await client.stop()
    expect(store.at()).toMatchObject({ replayId: 1 })
  })

  test('commits of its handlers succeed after a drain has ended', async () => {
    const { client, source, clock, store } = bench({ commit: 'manual' })
    const committed: number[] = []
    const running = client.subscribe<{ n: number }>(channel, { until: { maxEvents: 2 } }).process(
      async (each) => {
        if (each.payload.n === 1) await clock.settle()
        await each.commit()
        committed.push(each.payload.n)
      },
      { concurrency: 3 },
    )
    await clock.settle()
    source.feed.reply(events(1, 3))
    await running
    expect(committed.sort()).toEqual([1, 2])
    expect(store.at()).toMatchObject({ replayId: 2 })
  })

  test('an abort rejects it at once, although a handler never ends', async () => {
    const { client, source, clock } = bench()
    const abort = new AbortController()
    const running = client.subscribe(channel, { signal: abort.signal }).process(() => new Promise(() => {}))
    const handled = running.catch((error: unknown) => error)
    await clock.settle()
    source.feed.reply(events(1, 2))
    await clock.settle()
    abort.abort(new Error('now'))
    expect(await stateOf(clock, handled)).toMatchObject({ resolved: { message: 'now' } })
  })
})

test('toReadableStream() hands out one event per pull, ends with the subscription and closes it when cancelled', async () => {
  const { client, source, clock } = bench({ commit: 'manual' })
  const subscription = client.subscribe(channel)
  const reader = subscription.toReadableStream().getReader()
  await clock.settle()
  source.feed.reply(events(1, 3))
  expect((await reader.read()).value).toMatchObject({ replayId: 1 })
  expect(subscription.stats).toMatchObject({ delivered: 1, buffered: 2 })
  await reader.cancel()
  expect(source.openFeeds).toHaveLength(0)
  const second = client.subscribe(channel, { replay: 'new' }).toReadableStream().getReader()
  const parked = second.read()
  await client.stop()
  expect(await parked).toEqual({ value: undefined, done: true })
})
