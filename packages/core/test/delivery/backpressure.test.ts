import { virtualClock } from '@sfstream/mock-org'
import { describe, expect, test } from 'vitest'
import { createClient } from '../../src/index.ts'
import { bench, channel, event, events } from '../support/delivery-bench.ts'
import { scriptedOrg } from '../support/scripted-org.ts'

const other = '/event/Other__e'
const take = async (iterator: AsyncIterator<unknown>, count: number): Promise<void> => {
  for (let times = 0; times < count; times++) await iterator.next()
}

describe('backpressure', () => {
  test('above the mark the next poll is held, and let go at a quarter', async () => {
    const { client, source, clock, told } = bench()
    const iterator = client.subscribe(channel, { maxBuffered: 8 })[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply(events(1, 8))
    await clock.settle()
    expect(source.holds).toBe(0)
    source.feed.reply([event(9)])
    await clock.settle()
    expect(source.holds).toBe(1)
    expect(told('paused')).toEqual([{ type: 'paused', channel, buffered: 9, how: 'held' }])
    await take(iterator, 6)
    expect(source.holds).toBe(1)
    await take(iterator, 1)
    expect(source.holds).toBe(0)
    await clock.advance(0)
    expect(clock.pending).toBe(0)
  })

  test('after 25 s that channel alone is given back, and resumed at a quarter after the last event received', async () => {
    const { client, source, clock, told } = bench()
    const iterator = client.subscribe(channel, { maxBuffered: 8 })[Symbol.asyncIterator]()
    client.subscribe(other)
    await clock.settle()
    source.feeds[0]?.reply(events(1, 12))
    await clock.advance(24_999)
    expect(source.openFeeds).toHaveLength(2)
    await clock.advance(1)
    expect(source.openFeeds.map(({ request }) => request.channel)).toEqual([other])
    expect(source.holds).toBe(0)
    expect(told('paused').map(({ how }) => how)).toEqual(['held', 'wire'])
    await take(iterator, 9)
    await clock.settle()
    expect(source.openFeeds).toHaveLength(1)
    await take(iterator, 1)
    await clock.settle()
    expect(source.feed.request).toMatchObject({ channel, position: 12 })
    expect(told('resubscribed')).toEqual([{ type: 'resubscribed', channel, from: 12 }])
  })

  test.each(['already', 'later', 'in events()'])('the poll is not held while the consumer of another channel waits: %s', async (when) => {
    const { client, source, clock, told } = bench()
    client.subscribe(channel, { maxBuffered: 2 })[Symbol.asyncIterator]()
    const waiting = client.subscribe(other)
    await clock.settle()
    let parked: Promise<unknown> | undefined
    const park = (): void => {
      parked = (when === 'in events()' ? client.events() : waiting[Symbol.asyncIterator]()).next()
    }
    if (when !== 'later') park()
    source.feeds[0]?.reply(events(1, 3))
    await clock.settle()
    if (when === 'later') {
      expect(source.holds).toBe(1)
      park()
      await clock.settle()
    }
    expect(source.holds).toBe(0)
    expect(told('paused').at(-1)).toMatchObject({ channel, how: 'wire' })
    expect(source.openFeeds.map(({ request }) => request.channel)).toEqual([other])
    source.feeds[1]?.reply([event(1)])
    await expect(parked).resolves.toMatchObject({ done: false })
  })

  test('the 25 s count from the first hold, whoever joins it', async () => {
    const { client, source, clock } = bench()
    client.subscribe(channel, { maxBuffered: 2 })
    client.subscribe(other, { maxBuffered: 2 })
    await clock.settle()
    source.feeds[0]?.reply(events(1, 3))
    await clock.advance(20_000)
    source.feeds[1]?.reply(events(1, 3))
    await clock.advance(5_000)
    expect(source.openFeeds).toEqual([])
    expect(source.holds).toBe(0)
    expect(clock.pending).toBe(0)
  })

  test('a Source that cannot hold is paused by the next reply', async () => {
    const { client, source, clock } = bench()
    const subscription = client.subscribe(channel, { maxBuffered: 2 })
    await clock.settle()
    source.feed.reply(events(1, 3))
    await clock.settle()
    source.feed.reply(events(4, 6))
    await clock.settle()
    expect(source.openFeeds).toEqual([])
    expect(subscription.stats.buffered).toBe(6)
  })

  test('bytes count as well, and room() respects both marks', async () => {
    const { client, source, clock } = bench()
    client.subscribe(channel, { maxBuffered: 10, maxBufferedBytes: 1_000 })
    await clock.settle()
    const { room } = source.feed.request
    expect(room(1_000)).toBe(10)
    expect(room(1_001)).toBe(0)
    source.feed.reply(events(1, 4), { bytesEach: 100 })
    await clock.settle()
    expect(room(600)).toBe(6)
    expect(room(601)).toBe(0)
    source.feed.reply(events(5, 6), { bytesEach: 350 })
    await clock.settle()
    expect(source.holds).toBe(1)
  })

  test('paused while it is between two openings, it is not opened again before there is room', async () => {
    const { client, source, clock } = bench()
    const iterator = client.subscribe(channel, { maxBuffered: 2 })[Symbol.asyncIterator]()
    client
      .subscribe(other)
      [Symbol.asyncIterator]()
      .next()
      .catch(() => {})
    await clock.settle()
    source.feeds[0]?.reply(events(1, 3))
    source.feeds[0]?.lose()
    await clock.settle()
    expect(source.openFeeds.map(({ request }) => request.channel)).toEqual([other])
    await take(iterator, 3)
    await clock.settle()
    expect(source.feed.request).toMatchObject({ channel, position: 3 })
  })

  test('paused while the Source is not yet sure of its org, it is not opened before there is room', async () => {
    const { client, source, clock } = bench()
    const iterator = client.subscribe(channel, { maxBuffered: 2 })[Symbol.asyncIterator]()
    const waiting = client.subscribe(other)[Symbol.asyncIterator]()
    await clock.settle()
    let identify = (): void => {}
    const org = source.orgName as string
    source.orgName = new Promise((resolve) => {
      identify = () => resolve(org)
    })
    source.feeds[0]?.reply(events(1, 3))
    source.feeds[0]?.lose()
    await clock.settle()
    expect(source.holds).toBe(1)
    void waiting.next()
    identify()
    await clock.settle()
    expect(source.openFeeds.map(({ request }) => request.channel)).toEqual([other])
    await take(iterator, 3)
    await clock.settle()
    expect(source.feed.request).toMatchObject({ channel, position: 3 })
    await client.stop()
  })

  test('closing the full subscription lets the others go on', async () => {
    const { client, source, clock } = bench()
    const full = client.subscribe(channel, { maxBuffered: 2 })
    client.subscribe(channel, { replay: 'new', maxBuffered: 1_000 })
    await clock.settle()
    source.feed.reply(events(1, 3))
    await clock.settle()
    expect(source.holds).toBe(1)
    await full.close()
    expect(source.holds).toBe(0)
    expect(clock.pending).toBe(0)
  })

  test('lagging is told once, until the consumer has caught up', async () => {
    const { client, source, clock, told } = bench()
    client.subscribe(channel)
    await clock.settle()
    const ago = (id: number, hours: number): ReturnType<typeof event> =>
      event(id, { CreatedDate: new Date(clock.now() - hours * 3_600_000).toISOString() })
    for (const hours of [35, 37, 38, 1, 40]) {
      source.feed.reply([ago(hours, hours)])
      await clock.settle()
    }
    expect(told('lagging').map(({ lagMs }) => lagMs / 3_600_000)).toEqual([37, 40])
    expect(told('lagging')[0]).toMatchObject({ retentionMs: 72 * 3_600_000 })
  })
})

describe('backpressure on the wire', () => {
  const start = (): {
    clock: ReturnType<typeof virtualClock>
    org: ReturnType<typeof scriptedOrg>
    client: ReturnType<typeof createClient>
  } => {
    const clock = virtualClock()
    const org = scriptedOrg(clock.now)
    const client = createClient({
      auth: org.session,
      platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
    })
    return { clock, org, client }
  }

  // Long ones let the next poll leave before they are read.
  test.each(
    [1, 3, 10, 25].flatMap(
      (size) =>
        [
          [size, 'short'],
          [size, 'long'],
        ] as const,
    ),
  )('never more than the mark and one reply, for replies of %i %s events', async (size, length) => {
    const { clock, org, client } = start()
    const subscription = client.subscribe(channel, { maxBuffered: 10 })
    await clock.runUntil(() => org.held === 1)
    let id = 0
    let most = 0
    const reply = (): ReturnType<typeof event>[] =>
      Array.from({ length: size }, () => event(++id, { Text__c: length === 'long' ? 'x'.repeat(9_000) : '' }))
    for (let times = 0; times < 30; times++) {
      if (org.held > 0) org.push(...reply())
      await clock.settle()
      most = Math.max(most, subscription.stats.buffered)
    }
    expect(most).toBeGreaterThan(10)
    expect(most).toBeLessThanOrEqual(10 + size)
    await client.stop()
    expect({ timers: clock.pending, held: org.held }).toEqual({ timers: 0, held: 0 })
  })

  test('a consumer of 120 s an event keeps its session, loses nothing and gets nothing twice', async () => {
    const { clock, org, client } = start()
    const seen: number[] = []
    const loop = (async () => {
      for await (const each of client.subscribe<{ n: number }>(channel, { maxBuffered: 4 })) {
        seen.push(each.payload.n)
        await new Promise<void>((resolve) => clock.delay(resolve, 120_000))
      }
    })()
    await clock.runUntil(() => org.held === 1)
    let sent = 0
    let wanted = 0
    while (seen.length < 30) {
      const subscribed = org.of('subscribe').length - org.of('unsubscribe').length === 1
      if (subscribed && org.of('subscribe').length > wanted) {
        wanted = org.of('subscribe').length
        const { replay } = org.of('subscribe')[wanted - 1]!.messages[0]!.ext as { replay: Record<string, number> }
        sent = Math.max(0, replay[channel] as number)
      }
      if (subscribed && org.held > 0 && sent < 30) {
        const chunk = Array.from({ length: Math.min(3, 30 - sent) }, () => event(++sent))
        org.push(...chunk)
      }
      await clock.advance(10_000)
    }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, at) => at + 1))
    expect(org.of('handshake')).toHaveLength(1)
    expect(org.of('unsubscribe').length).toBeGreaterThan(0)
    await client.stop()
    await clock.advance(120_000)
    await loop
  })
})
