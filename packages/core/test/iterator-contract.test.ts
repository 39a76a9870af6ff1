import { describe, expect, test } from 'vitest'
import { StateError, TransportError } from '../src/index.ts'
import { bench, channel, countedSignal, event, events, stateOf } from './support/delivery-bench.ts'

const done = { resolved: { value: undefined, done: true } }
const ids = (results: IteratorResult<{ replayId: unknown }>[]): unknown[] =>
  results.map((result) => (result.done ? 'done' : result.value.replayId))

describe('iterator contract (a) one consumer', () => {
  test('of a subscription: a second throws at once', () => {
    for (const second of ['iterate', 'process', 'stream'] as const) {
      const { client } = bench()
      const subscription = client.subscribe(channel)
      subscription[Symbol.asyncIterator]()
      const begin = {
        iterate: () => subscription[Symbol.asyncIterator](),
        process: () => subscription.process(() => {}),
        stream: () => subscription.toReadableStream(),
      }
      expect(begin[second]).toThrow(StateError)
      expect(begin[second]).toThrow(expect.objectContaining({ code: 'already_consumed', channel }))
    }
  })

  test('of a channel within events(): it stays with the loop that took from it first, until that has left', async () => {
    const { client, source, clock } = bench()
    const [first, second] = [client.events(), client.events()]
    client.subscribe(channel)
    const mine = first.next()
    const parked = second.next()
    await clock.settle()
    source.feed.reply(events(1, 3))
    expect((await mine).value).toMatchObject({ replayId: 1 })
    expect(await stateOf(clock, parked)).toBe('pending')
    // 1 is in hand and given back.
    await first.return?.()
    expect((await parked).value).toMatchObject({ replayId: 1 })
    expect((await second.next()).value).toMatchObject({ replayId: 2 })
  })
})

describe('iterator contract (b) parked calls', () => {
  test('of a subscription: answered in order, and all settle at close', async () => {
    const { client, source, clock } = bench()
    const subscription = client.subscribe(channel)
    const iterator = subscription[Symbol.asyncIterator]()
    const parked = [iterator.next(), iterator.next(), iterator.next(), iterator.next()]
    await clock.settle()
    source.feed.reply(events(1, 2))
    await clock.settle()
    await subscription.close()
    expect(ids(await Promise.all(parked))).toEqual([1, 2, 'done', 'done'])
  })

  test('of events(): answered in order, and all settle at stop', async () => {
    const { client, source, clock } = bench()
    client.subscribe(channel)
    const iterator = client.events()
    const parked = [iterator.next(), iterator.next(), iterator.next()]
    await clock.settle()
    source.feed.reply(events(1, 2))
    await clock.settle()
    await client.stop()
    expect(ids(await Promise.all(parked))).toEqual([1, 2, 'done'])
  })

  test('of status() and messages(): all settle at stop', async () => {
    const { client, clock } = bench()
    const taps = [client.messages().next(), client.status().next()]
    const [first] = taps
    await client.stop()
    expect(await stateOf(clock, first as Promise<unknown>)).toEqual(done)
    expect(await stateOf(clock, taps[1] as Promise<unknown>)).toEqual(done)
  })
})

describe('iterator contract (c) return()', () => {
  test('of a subscription: settles at once even while parked, twice too', async () => {
    const { client, clock } = bench()
    const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
    const parked = iterator.next()
    const [once, twice] = [iterator.return?.(), iterator.return?.()]
    expect(await stateOf(clock, once as Promise<unknown>)).toEqual(done)
    expect(await stateOf(clock, twice as Promise<unknown>)).toEqual(done)
    expect(await stateOf(clock, parked)).toEqual(done)
    expect(await stateOf(clock, iterator.next())).toEqual(done)
  })

  test.each(['events', 'status', 'messages'] as const)('of %s(): settles at once even while parked, twice too', async (which) => {
    const { client, clock } = bench()
    const iterator = client[which]()
    const parked = iterator.next()
    for (let times = 0; times < 2; times++) expect(await stateOf(clock, iterator.return?.() as Promise<unknown>)).toEqual(done)
    expect(await stateOf(clock, parked)).toEqual(done)
    expect(await stateOf(clock, iterator.next())).toEqual(done)
  })

  test('a parked call settles although a schema never answers', async () => {
    const { client, source, clock } = bench()
    const schema = { '~standard': { version: 1 as const, vendor: 'test', validate: () => new Promise<never>(() => {}) } }
    const iterator = client.subscribe(channel, { schema })[Symbol.asyncIterator]()
    const parked = iterator.next()
    await clock.settle()
    source.feed.reply([event(1)])
    await clock.settle()
    await iterator.return?.()
    expect(await stateOf(clock, parked)).toEqual(done)
  })
})

describe('iterator contract (d) ends', () => {
  test('close ends, and drops what is buffered', async () => {
    const { client, source, clock } = bench()
    const subscription = client.subscribe(channel)
    const iterator = subscription[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 3))
    await clock.settle()
    await subscription.close()
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
    expect(subscription.stats.ended).toBe('closed')
  })

  test.each(['parked', 'buffered', 'before the first next'])('abort rejects with the reason of the signal itself: %s', async (state) => {
    const { client, source, clock } = bench()
    const { controller, signal } = countedSignal()
    const reason = { because: 'I say so' }
    const subscription = client.subscribe(channel, { signal })
    const iterator = subscription[Symbol.asyncIterator]()
    await clock.settle()
    const parked = state === 'parked' ? iterator.next() : undefined
    if (state === 'buffered') source.feed.reply(events(1, 3))
    await clock.settle()
    controller.abort(reason)
    const rejected = await stateOf(clock, parked ?? iterator.next())
    expect(rejected).toEqual({ rejected: reason })
    expect((rejected as { rejected: unknown }).rejected).toBe(reason)
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
    expect(subscription.stats.ended).toBe('aborted')
  })

  test('abort of the client rejects subscriptions and events(); messages() and status(), which only look on, end', async () => {
    const { controller, signal } = countedSignal()
    const { client, clock, source } = bench({ signal })
    const own = client.subscribe(channel)[Symbol.asyncIterator]().next()
    client.subscribe('/event/Other__e')
    const loops = [own, client.events().next()]
    const messages = client.messages().next()
    const status = client.status()
    await clock.settle()
    const reason = new Error('enough')
    const states = Promise.all(loops.map((each) => stateOf(clock, each)))
    controller.abort(reason)
    expect(await states).toEqual(loops.map(() => ({ rejected: reason })))
    // A side loop that only watches must not bring a program down.
    expect(await messages).toEqual({ value: undefined, done: true })
    for (let next = await status.next(); !next.done; next = await status.next()) expect(next.value).toHaveProperty('type')
    expect(() => client.subscribe(channel)).toThrow(reason)
    expect(source.stops).toBe(1)
  })

  test('a signal that was aborted before: rejects, and the channel is free', async () => {
    const { client, source, clock } = bench()
    const reason = new Error('before')
    const aborted = client.subscribe(channel, { signal: AbortSignal.abort(reason) })
    await expect(aborted[Symbol.asyncIterator]().next()).rejects.toBe(reason)
    await expect(aborted.ready).rejects.toBe(reason)
    expect(source.feeds).toHaveLength(0)
    const iterator = client.subscribe(channel, { replay: 'all' })[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply([event(1)])
    expect((await iterator.next()).value).toMatchObject({ replayId: 1 })
  })

  test('a fault rejects with the coded error, once, after what is buffered', async () => {
    const { client, source, clock, told } = bench()
    const subscription = client.subscribe(channel)
    const iterator = subscription[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 2))
    const error = new TransportError({ code: 'network', message: 'gone', remediation: 'none' })
    source.feed.fail(error)
    await clock.settle()
    expect((await iterator.next()).value).toMatchObject({ replayId: 1 })
    expect((await iterator.next()).value).toMatchObject({ replayId: 2 })
    await expect(iterator.next()).rejects.toBe(error)
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
    expect(told('subscriptionFailed')).toEqual([{ type: 'subscriptionFailed', channel, error }])
    expect(subscription.stats.ended).toBe('failed')
  })

  test('a fault rejects events() after what that channel had buffered', async () => {
    const { client, source, clock } = bench()
    client.subscribe(channel)
    await clock.settle()
    source.feed.reply(events(1, 2))
    const error = new TransportError({ code: 'network', message: 'gone', remediation: 'none' })
    source.feed.fail(error)
    await clock.settle()
    const iterator = client.events()
    expect(ids([await iterator.next(), await iterator.next()])).toEqual([1, 2])
    await expect(iterator.next()).rejects.toBe(error)
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
  })

  test('an abort overtakes what askStop() lets be finished', async () => {
    const { controller, signal } = countedSignal()
    const { client, source, clock } = bench()
    const iterator = client.subscribe(channel, { signal })[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 3))
    await clock.settle()
    client.askStop()
    expect((await iterator.next()).value).toMatchObject({ replayId: 1 })
    controller.abort(new Error('now'))
    await expect(iterator.next()).rejects.toThrow('now')
  })
})

describe('iterator contract (e) nothing survives', () => {
  const endings: Record<
    string,
    (bench_: ReturnType<typeof bench>, iterator: AsyncIterator<unknown>, controller: AbortController) => unknown
  > = {
    return: (_, iterator) => iterator.return?.(),
    abort: (_, __, controller) => controller.abort(new Error('end')),
    fault: ({ source }) => source.feed.fail(new TransportError({ code: 'network', message: 'gone', remediation: 'none' })),
    unsubscribe: ({ client }) => client.unsubscribe(channel),
    stop: ({ client }) => client.stop(),
    askStop: ({ client }) => client.askStop(),
  }

  test.each(Object.keys(endings))('no listener, timer, feed or hold after: %s', async (how) => {
    const b = bench()
    const { client, source, clock } = b
    const before = clock.pending
    for (let times = 0; times < 20; times++) {
      const { controller, signal } = countedSignal()
      const counted = countedSignal()
      const subscription = client.subscribe(channel, { signal: counted.signal, until: { idleMs: 1e9, maxMs: 1e9 }, maxBuffered: 2 })
      signal.addEventListener('abort', () => counted.controller.abort(signal.reason), { once: true })
      const iterator = subscription[Symbol.asyncIterator]()
      await clock.settle()
      source.feed.reply(events(times * 10, times * 10 + 3))
      await clock.settle()
      expect(source.holds).toBe(1)
      await iterator.next()
      await endings[how]?.(b, iterator, controller)
      for (let step = 0; step < 6; step++) await iterator.next().catch(() => {})
      await clock.settle()
      expect({ listeners: counted.listeners, timers: clock.pending, feeds: source.openFeeds.length, holds: source.holds }).toEqual({
        listeners: 0,
        timers: before,
        feeds: 0,
        holds: 0,
      })
    }
  })

  test('a stopped client listens to its signal no more; a started one does again', async () => {
    const counted = countedSignal()
    const { client } = bench({ signal: counted.signal })
    for (let times = 0; times < 3; times++) {
      await client.start()
      expect(counted.listeners).toBe(1)
      await client.stop()
      expect(counted.listeners).toBe(0)
    }
  })
})

describe('iterator contract (f) disposal', () => {
  test('of a subscription and of a client equals close() and stop()', async () => {
    const { client, source, clock, store } = bench()
    const subscription = client.subscribe(channel)
    const iterator = subscription[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 3))
    await iterator.next()
    await iterator.next()
    await subscription[Symbol.asyncDispose]()
    expect(store.at()).toMatchObject({ replayId: 1 })
    expect(source.openFeeds).toHaveLength(0)
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
    await client[Symbol.asyncDispose]()
    expect(source.stops).toBe(1)
  })
})

describe('iterator contract (g) loops are apart', () => {
  test('breaking one loop never touches another', async () => {
    const { client, source, clock } = bench()
    const [one, two] = [client.subscribe(channel), client.subscribe('/event/Other__e')]
    const third = client.subscribe(channel, { replay: 'new' })
    const [a, b, c] = [one, two, third].map((each) => each[Symbol.asyncIterator]())
    const parked = [b?.next(), c?.next()]
    await a?.return?.()
    await clock.settle()
    expect(source.openFeeds.map((feed) => feed.request.channel)).toEqual([channel, '/event/Other__e'])
    for (const feed of source.openFeeds) feed.reply([event(7)])
    expect(ids((await Promise.all(parked)) as never)).toEqual([7, 7])
  })

  test('a fault of one channel ends neither the others nor an events() loop begun later', async () => {
    const { client, source, clock } = bench()
    const failing = client.subscribe(channel)[Symbol.asyncIterator]()
    client.subscribe('/event/Other__e')
    await clock.settle()
    source.feeds[0]?.fail(new TransportError({ code: 'network', message: 'gone', remediation: 'none' }))
    await expect(failing.next()).rejects.toThrow('gone')
    const loop = client.events()
    const next = loop.next()
    source.feeds[1]?.reply([event(1)])
    expect((await next).value).toMatchObject({ replayId: 1 })
  })
})
