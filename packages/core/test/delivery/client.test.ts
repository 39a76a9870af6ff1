import { describe, expect, test } from 'vitest'
import { StateError, TransportError } from '../../src/index.ts'
import { bench, channel, event, events } from '../support/delivery-bench.ts'

const ids = (results: IteratorResult<{ replayId: unknown }>[]): unknown[] =>
  results.map((result) => (result.done ? 'done' : result.value.replayId))

describe('askStop()', () => {
  test('lets loops finish what is buffered, then end; nothing more is received', async () => {
    const { client, source, clock, store } = bench()
    const subscription = client.subscribe(channel)
    const own = subscription[Symbol.asyncIterator]()
    client.subscribe('/event/Other__e')
    const loop = client.events()
    const messages = client.messages().next()
    await clock.settle()
    source.feeds[0]?.reply(events(1, 2))
    source.feeds[1]?.reply(events(11, 12))
    await clock.settle()
    client.askStop()
    expect(source.openFeeds).toEqual([])
    expect(ids([await own.next(), await own.next(), await own.next()])).toEqual([1, 2, 'done'])
    expect(ids([await loop.next(), await loop.next(), await loop.next()])).toEqual([11, 12, 'done'])
    expect(await messages).toEqual({ value: undefined, done: true })
    expect(subscription.stats.ended).toBe('stopped')
    await client.stop()
    expect(store.at()).toMatchObject({ replayId: 2 })
    expect(store.at({ channel: '/event/Other__e' })).toMatchObject({ replayId: 12 })
  })

  test('ends loops that wait, at once', async () => {
    const { client, clock } = bench()
    const own = client.subscribe(channel)[Symbol.asyncIterator]().next()
    const loop = client.events().next()
    await clock.settle()
    client.askStop()
    expect(await own).toMatchObject({ done: true })
    expect(await loop).toMatchObject({ done: true })
  })
})

describe('events()', () => {
  test('takes turns among channels, those subscribed later too, and leaves alone those with a loop of their own', async () => {
    const { client, source, clock } = bench()
    const loop = client.events()
    client.subscribe('/event/A__e')
    await clock.settle()
    client.subscribe('/event/B__e')
    const own = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    source.feeds[0]?.reply(events(1, 3))
    source.feeds[1]?.reply(events(11, 13))
    source.feeds[2]?.reply(events(21, 22))
    await clock.settle()
    const seen: unknown[] = []
    for (let times = 0; times < 6; times++) seen.push((await loop.next()).value.replayId)
    expect(seen).toEqual([1, 11, 2, 12, 3, 13])
    expect(ids([await own.next(), await own.next()])).toEqual([21, 22])
  })

  test('finds what came before it was called, and what failed', async () => {
    const { client, source, clock } = bench()
    client.subscribe(channel)
    await clock.settle()
    source.feed.reply(events(1, 2))
    await clock.settle()
    const loop = client.events()
    expect(ids([await loop.next(), await loop.next()])).toEqual([1, 2])
    const parked = loop.next()
    source.feed.fail(new TransportError({ code: 'network', message: 'gone', remediation: 'none' }))
    await expect(parked).rejects.toThrow('gone')
  })
})

describe('stop()', () => {
  test('in the turn in which a channel is about to be opened again: it is not opened', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const { client, source, clock } = bench()
      client.subscribe(channel, { replay: 'all' })
      await clock.settle()
      source.feed.lose()
      for (let turn = 0; turn < turns; turn++) await null
      const { length } = source.feeds
      const stopped = client.stop()
      await clock.settle()
      await stopped
      expect(source.feeds.slice(length).length, `${turns} turns`).toBe(0)
    }
  })

  test('then start() and subscribe() again', async () => {
    const { client, source, clock, store } = bench()
    const first = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 3))
    await first.next()
    await first.next()
    const stopping = client.stop()
    expect(() => client.subscribe(channel)).toThrow(StateError)
    expect(client.stop()).toBe(stopping)
    await stopping
    expect(store.at()).toMatchObject({ replayId: 1 })
    await client.start()
    const second = client.subscribe(channel)[Symbol.asyncIterator]()
    await clock.settle()
    expect(source.feed.request.position).toBe(1)
    source.feed.reply(events(2, 3))
    expect(ids([await second.next(), await second.next()])).toEqual([2, 3])
    await client.stop()
    expect(source.stops).toBe(2)
  })

  test('ready rejects where it will never be, and is handled', async () => {
    const { client, source } = bench()
    source.manual = true
    const subscription = client.subscribe(channel)
    await client.stop()
    await expect(subscription.ready).rejects.toMatchObject({ code: 'client_stopped', channel })
  })

  test('a thousand subscriptions come and go, and the client keeps none', async () => {
    const { client, source, clock } = bench()
    for (let times = 0; times < 1_000; times++) {
      const subscription = client.subscribe(channel, { signal: new AbortController().signal })
      const parked = subscription[Symbol.asyncIterator]().next()
      await (times % 2 ? subscription.close() : client.unsubscribe(channel))
      await parked
    }
    await clock.settle()
    expect(source.openFeeds).toEqual([])
    expect(clock.pending).toBe(0)
  })
})

describe('taps', () => {
  test('keep the newest 1,000 and count what they drop', async () => {
    const { client, source } = bench()
    const messages = client.messages()
    for (let id = 1; id <= 1_500; id++) source.observer?.message?.(event(id))
    expect(messages.dropped).toBe(500)
    expect((await messages.next()).value).toEqual(event(501))
    for (let id = 502; id <= 1_500; id++) await messages.next()
    const parked = messages.next()
    source.observer?.message?.(event(1))
    expect((await parked).value).toEqual(event(1))
    expect(messages.dropped).toBe(500)
    await messages.return?.()
    source.observer?.message?.(event(2))
    expect(await messages.next()).toEqual({ value: undefined, done: true })
  })
})
