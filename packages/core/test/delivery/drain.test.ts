import { createMockOrg, virtualClock } from '@sfstream/mock-org'
import { describe, expect, test } from 'vitest'
import { createClient } from '../../src/index.ts'
import { bench, channel, countedSignal, event, events } from '../support/delivery-bench.ts'

describe('drains', () => {
  test("'caught-up': ends after 10 s without an event, with what was finished durable at stop", async () => {
    const { client, source, clock, store } = bench()
    const subscription = client.subscribe(channel, { replay: 'all', until: 'caught-up' })
    const seen: unknown[] = []
    const loop = (async () => {
      for await (const each of subscription) seen.push(each.replayId)
    })()
    await clock.settle()
    source.feed.reply(events(1, 3))
    await clock.advance(9_000)
    source.feed.reply(events(4, 5))
    await clock.advance(9_500)
    expect(subscription.stats.ended).toBeUndefined()
    await clock.advance(2_000)
    await loop
    expect(subscription.stats.ended).toBe('idle')
    expect(seen).toEqual([1, 2, 3, 4, 5])
    await clock.settle()
    expect(store.at()).toMatchObject({ replayId: 5 })
    expect(source.openFeeds).toEqual([])
    expect(clock.pending).toBe(0)
  })

  test('quiet counts only while a poll is held, and from the last acceptance', async () => {
    const { client, source, clock } = bench()
    source.manual = true
    const subscription = client.subscribe(channel, { until: { idleMs: 5_000 } })
    const parked = subscription[Symbol.asyncIterator]().next()
    await clock.advance(60_000)
    expect(subscription.stats.ended).toBeUndefined()
    source.feed.accept()
    await clock.advance(4_500)
    source.isLive = false
    await clock.advance(60_000)
    source.isLive = true
    await clock.advance(4_500)
    // Lost and accepted again between two looks: what is to be replayed may only begin to come.
    source.manual = false
    source.feed.lose()
    await clock.advance(4_500)
    expect(subscription.stats.ended).toBeUndefined()
    await clock.advance(2_000)
    expect(await parked).toEqual({ value: undefined, done: true })
    expect(subscription.stats.ended).toBe('idle')
  })

  test('a machine that slept has not been listening: its hours are no quiet', async () => {
    const { client, source, clock } = bench({
      platform: { now: () => clock.now() + sleptMs, delay: (callback, ms) => clock.delay(callback, ms), random: () => 0.5 },
    })
    let sleptMs = 0
    const subscription = client.subscribe(channel, { replay: 'all', until: 'caught-up' })
    const parked = subscription[Symbol.asyncIterator]().next()
    await clock.advance(5_000)
    sleptMs = 3_600_000
    await clock.advance(2_000)
    expect(subscription.stats.ended).toBeUndefined()
    source.feed.reply(events(1, 1))
    expect(await parked).toMatchObject({ value: { replayId: 1 } })
    await client.stop()
  })

  test('a machine whose clock is slow drains the whole backlog: events are dated by the org', async () => {
    const slowMs = 2 * 3_600_000
    const clock = virtualClock()
    const org = createMockOrg({ clock, channels: [channel] })
    for (let each = 1; each <= 5; each++) org.publish(channel, { Number__c: each })
    await clock.advance(60_000)
    const platform = { fetch: org.fetch, now: () => clock.now() - slowMs, delay: clock.delay, random: clock.random }
    const client = createClient({ auth: org.session(), replayStore: null, platform })
    const subscription = client.subscribe(channel, { replay: 'all', until: 'caught-up' })
    const seen: unknown[] = []
    const lags: unknown[] = []
    const done = subscription.process((each) => {
      seen.push(each.replayId)
      lags.push(subscription.stats.lagMs)
    })
    await clock.runUntil(() => subscription.stats.ended !== undefined)
    await done
    expect([seen.length, subscription.stats.ended]).toEqual([5, 'idle'])
    expect(Math.min(...(lags as number[]))).toBeGreaterThan(50_000)
    await client.stop()
  })

  test('a poll that is held back for the full buffer of another channel is none: nothing could come', async () => {
    const { client, source, clock } = bench()
    const full = client.subscribe('/event/Other__e', { maxBuffered: 2 })
    const subscription = client.subscribe(channel, { until: 'caught-up' })
    await clock.settle()
    source.feeds[0]?.reply(events(1, 3))
    await clock.advance(24_000)
    expect([source.holds, subscription.stats.ended]).toEqual([1, undefined])
    // Its consumer waits, so the poll goes out; from then on quiet counts.
    const parked = subscription[Symbol.asyncIterator]().next()
    await clock.advance(9_000)
    expect([source.holds, subscription.stats.ended]).toEqual([0, undefined])
    await clock.advance(3_000)
    expect(await parked).toMatchObject({ done: true })
    expect(subscription.stats.ended).toBe('idle')
    await full.close()
  })

  test('does not end while a handler of process() runs', async () => {
    const { client, source, clock } = bench()
    const subscription = client.subscribe(channel, { until: { idleMs: 1_000 } })
    let free = (): void => {}
    const done = subscription.process(
      () =>
        new Promise<void>((resolve) => {
          free = resolve
        }),
      { concurrency: 2 },
    )
    await clock.settle()
    source.feed.reply(events(1, 1))
    await clock.advance(60_000)
    expect(subscription.stats.ended).toBeUndefined()
    free()
    await clock.advance(2_000)
    await done
    expect(subscription.stats.ended).toBe('idle')
  })

  test('does not end while an event is in hand or buffered', async () => {
    const { client, source, clock } = bench()
    const subscription = client.subscribe(channel, { until: { idleMs: 1_000 } })
    const iterator = subscription[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 2))
    await clock.advance(60_000)
    await iterator.next()
    await iterator.next()
    await clock.advance(60_000)
    expect(subscription.stats.ended).toBeUndefined()
    const end = iterator.next()
    await clock.advance(2_000)
    expect(await end).toEqual({ value: undefined, done: true })
  })

  test('who shares the channel has events of its own, though the first to receive one ends with it', async () => {
    const { client, clock, source } = bench()
    const drained = client.subscribe(channel, { until: { maxEvents: 1 } })[Symbol.asyncIterator]()
    const other = client.subscribe(channel, { replay: 'new' })[Symbol.asyncIterator]()
    const [first, second] = [drained.next(), other.next()]
    await clock.settle()
    source.feed.reply([event(1)])
    const [{ value: mine }, { value: others }] = [await first, await second]
    expect([mine.replayId, others.replayId]).toEqual([1, 1])
    expect(mine).not.toBe(others)
    await client.stop()
  })

  test('of a channel that flows already: one that waits for no time at all ends by itself, and leaves nothing behind', async () => {
    const { client, source, clock } = bench()
    client.subscribe(channel)
    await clock.settle()
    source.feed.reply([event(1)])
    await clock.settle()
    const counted = countedSignal()
    const { signal } = counted
    const drained = client.subscribe(channel, { until: { idleMs: 0, maxMs: 3_600_000 }, signal })
    expect(drained.stats.ended).toBeUndefined()
    await expect(drained.ready).resolves.toBeUndefined()
    await clock.advance(10)
    expect(drained.stats.ended).toBe('idle')
    await client.stop()
    expect({ timers: clock.pending, listeners: counted.listeners }).toEqual({ timers: 0, listeners: 0 })
  })

  test('maxEvents is exact, drops the rest unfinished, and leaves nothing behind', async () => {
    const { client, source, clock, store } = bench()
    const subscription = client.subscribe(channel, { until: { maxEvents: 3 } })
    const seen: unknown[] = []
    const loop = (async () => {
      for await (const each of subscription) seen.push(each.replayId)
    })()
    await clock.settle()
    source.feed.reply(events(1, 10))
    await loop
    await clock.settle()
    expect(seen).toEqual([1, 2, 3])
    expect(subscription.stats).toMatchObject({ ended: 'maxEvents', delivered: 3, buffered: 0, committed: 3 })
    expect(store.at()).toMatchObject({ replayId: 3 })
    expect(clock.pending).toBe(0)
  })

  describe('the last event of a drain that waits for it is a position once its id is complete', () => {
    const drainOne = async (reply: (feed: ReturnType<typeof bench>['source']['feed']) => void): Promise<ReturnType<typeof bench>> => {
      const all = bench()
      const { client, source, clock } = all
      const seen: unknown[] = []
      const loop = (async () => {
        for await (const each of client.subscribe(channel, { replay: 'all', until: { maxEvents: 2 } })) seen.push(each.payload)
      })()
      await clock.settle()
      source.feed.reply([event(1)])
      await clock.settle()
      reply(source.feed)
      await loop
      await clock.settle()
      expect(seen).toHaveLength(2)
      return all
    }

    test('with the end of its reply', async () => {
      const { store } = await drainOne((feed) => feed.reply([event(2)]))
      expect(store.at()).toEqual({ replayId: 2 })
    })

    test('with another id in its reply', async () => {
      const { store } = await drainOne((feed) => feed.reply([event(2), event(3)], { complete: false }))
      expect(store.at()).toEqual({ replayId: 2 })
    })

    test('not where another event shares it, which has not been handed out', async () => {
      const { store } = await drainOne((feed) => feed.reply([event(2), event(2), event(3)]))
      expect(store.at()).toEqual({ replayId: 1 })
    })

    test('not where its reply broke off behind it', async () => {
      const { store } = await drainOne((feed) => feed.reply([event(2)], { complete: false }))
      expect(store.at()).toEqual({ replayId: 1 })
    })

    test('and whoever shares the channel goes on', async () => {
      const { client, source, clock, store } = bench()
      const drained = client.subscribe(channel, { until: { maxEvents: 1 } })[Symbol.asyncIterator]()
      const other = client.subscribe(channel, { replay: 'new' })[Symbol.asyncIterator]()
      const first = drained.next()
      await clock.settle()
      source.feed.reply([event(1), event(2)])
      await first
      expect((await drained.next()).done).toBe(true)
      expect([(await other.next()).value.replayId, (await other.next()).value.replayId]).toEqual([1, 2])
      await clock.settle()
      expect(store.at()).toEqual({ replayId: 1 })
      await client.stop()
    })
  })

  test('maxMs ends it wherever it stands', async () => {
    const { client, clock, source } = bench()
    source.manual = true
    const subscription = client.subscribe(channel, { until: { maxMs: 30_000 } })
    const parked = subscription[Symbol.asyncIterator]().next()
    await clock.advance(30_000)
    expect(await parked).toEqual({ value: undefined, done: true })
    expect(subscription.stats.ended).toBe('maxMs')
    expect(clock.pending).toBe(0)
  })

  test('an event dated after the drain began is its last', async () => {
    const { client, source, clock } = bench()
    const subscription = client.subscribe(channel, { until: 'caught-up' })
    const seen: unknown[] = []
    const loop = (async () => {
      for await (const each of subscription) seen.push(each.replayId)
    })()
    await clock.settle()
    const at = (id: number, ms: number): ReturnType<typeof event> => event(id, { CreatedDate: new Date(clock.now() + ms).toISOString() })
    source.feed.reply([at(1, -5), at(2, 0), at(3, 5), at(4, 6)])
    await loop
    expect(seen).toEqual([1, 2, 3])
    expect(subscription.stats.ended).toBe('reached-start')
  })

  test('within events(): the drained channel leaves, the loop goes on', async () => {
    const { client, source, clock, store } = bench()
    client.subscribe(channel, { until: { maxEvents: 1 } })
    client.subscribe('/event/Other__e')
    const loop = client.events()
    await clock.settle()
    source.feeds[0]?.reply(events(1, 2))
    expect((await loop.next()).value).toMatchObject({ replayId: 1 })
    const next = loop.next()
    await clock.settle()
    source.feeds[1]?.reply([event(7)])
    // Its last event was finished after its end.
    expect(store.at()).toEqual({ replayId: 1 })
    expect((await next).value).toMatchObject({ replayId: 7 })
  })

  test('within events(): the event that ends a drain is handed out before any other, and is no position until it is finished', async () => {
    const { client, source, clock, store } = bench()
    const other = '/event/Other__e'
    client.subscribe(channel, { replay: 'all', until: { maxEvents: 1 } })
    client.subscribe(other, { replay: 'all' })
    await clock.settle()
    source.feeds[0]?.reply([event(1)])
    source.feeds[1]?.reply([11, 12].map((id) => ({ ...event(id), channel: other })))
    await clock.settle()
    const loop = client.events()
    const seen: unknown[] = []
    for (let at = 0; at < 3; at++) {
      const { value } = await loop.next()
      await clock.settle()
      seen.push(value.replayId)
      expect(store.at({ channel: value.channel })?.replayId).not.toBe(value.replayId)
    }
    expect(seen).toEqual([1, 11, 12])
  })

  test("'caught-up' on two channels within events(): what a killed program had in hand comes again", async () => {
    const { client, source, clock, store } = bench()
    const other = '/event/Other__e'
    const at = (id: number, inMs: number) => event(id, { CreatedDate: new Date(clock.now() + inMs).toISOString() })
    client.subscribe(channel, { replay: 'all', until: 'caught-up' })
    client.subscribe(other, { replay: 'all', until: 'caught-up' })
    await clock.settle()
    // Newer than the drain: its last.
    source.feeds[0]?.reply([at(1, 60_000)])
    source.feeds[1]?.reply([at(11, -60_000), at(12, -60_000)].map((each) => ({ ...each, channel: other })))
    await clock.settle()
    const handled: unknown[] = []
    for await (const { replayId } of client.events()) {
      await clock.settle()
      if (handled.length === 1) break
      handled.push(replayId)
    }
    const again = bench({}, { store, clock })
    again.client.subscribe(channel)
    await clock.settle()
    expect(again.source.feed.request.position).toBe(handled.includes(1) ? 1 : 'new')
  })
})
