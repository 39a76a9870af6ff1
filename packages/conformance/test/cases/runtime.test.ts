import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { channel, orgBench, type Reading } from './org-bench.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

describe('the machine around the client', () => {
  it('C81 [S] the clock jumps by ten minutes while a connect is held: given up at once, nothing lost', async () => {
    let jumpedMs = 0
    const bench = orgBench({ platform: { now: () => bench.clock.now() + jumpedMs } })
    const { org, client, clock, read, publish, held, count } = bench
    const reading = read(client.subscribe(channel))
    await held()
    const ids = publish()
    await clock.runUntil(() => reading.events.length === 1)
    await held()
    const connects = count('connect')
    jumpedMs = 10 * minuteMs
    await clock.advance(20_000)
    expect(count('connect')).toBeGreaterThan(connects)
    ids.push(...publish())
    await clock.runUntil(() => reading.events.length === 2)
    expect(reading.ids).toEqual(ids)
    expect(org.inspect.handshakes).toBe(1)
  })

  it('C82 [S] back online after five minutes: recovered within the longest delay, 30 s', async () => {
    const { org, client, clock, read, publish, held } = orgBench()
    const reading = read(client.subscribe(channel))
    await held()
    const ids = publish()
    await clock.runUntil(() => reading.events.length === 1)
    const back = org.faults.offline()
    ids.push(...publish())
    await clock.advance(5 * minuteMs)
    expect(client.state).toBe('waiting')
    back()
    await clock.advance(30_000)
    expect(reading.ids).toEqual(ids)
    expect(client.state).toBe('live')
  })

  it('C26 [S] 10,000 polls that bring nothing: neither timers nor memory grow', async () => {
    const root = fileURLToPath(new URL('../../../..', import.meta.url))
    const flags = ['--expose-gc', '--import', './packages/conformance/sources.mjs', 'packages/conformance/test/cases/support/idle-polls.ts']
    const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: root })
    const { before, after, polls, handshakes } = JSON.parse(stdout)
    expect(polls).toBeGreaterThan(30_000)
    expect(handshakes).toBe(1)
    expect(after.timers).toBeLessThanOrEqual(before.timers)
    // A pending entry a poll, forgotten, would be a megabyte and more.
    expect(after.heap - before.heap).toBeLessThan(300_000)
  })
})

describe('consumers', () => {
  it('C83 [S] a handler that throws ends its own loop; other channels go on, and its event comes again', async () => {
    // DESIGN: a fault of a loop is the loop's; what was in hand is not finished.
    const { org, client, clock, read, publish, held } = orgBench()
    const account = '/data/AccountChangeEvent'
    const other = read(client.subscribe(account))
    const handled: string[] = []
    const work = client.subscribe(channel).process((event) => {
      handled.push(String(event.replayId))
      if (handled.length === 2) throw new Error('the handler fails')
    })
    const failed = expect(work).rejects.toThrow('the handler fails')
    await held()
    await clock.runUntil(() => Object.keys(org.inspect.subscriptions).length === 2)
    const ids = publish(3)
    await clock.runUntil(() => handled.length === 2)
    await failed
    org.publishSample(account)
    await clock.runUntil(() => other.events.length === 1)
    const again = read(client.subscribe(channel))
    await clock.runUntil(() => again.events.length === 2)
    expect(again.ids).toEqual(ids.slice(1))
    expect(org.inspect.handshakes).toBe(1)
  })

  it('C84 [S] a slow consumer: a bounded buffer, the session kept for the others, nothing lost', async () => {
    const { org, client, clock, read, publish, held, reports } = orgBench()
    const account = '/data/AccountChangeEvent'
    const other = read(client.subscribe(account))
    const slow = client.subscribe(channel, { maxBuffered: 10 })
    const iterator = slow[Symbol.asyncIterator]()
    const handled: string[] = []
    await held()
    await slow.ready
    const ids: string[] = []
    for (let minute = 0; minute < 10; minute++) {
      ids.push(...publish(5))
      org.publishSample(account)
      await clock.advance(minuteMs)
      expect(slow.stats.buffered).toBeLessThanOrEqual(10 + 5)
    }
    expect(other.events.length).toBe(10)
    expect(reports('paused').length).toBeGreaterThan(0)
    expect(org.inspect.handshakes).toBe(1)
    const drain = (async () => {
      while (handled.length < ids.length) handled.push(String((await iterator.next()).value.replayId))
    })()
    await clock.runUntil(() => handled.length === ids.length)
    await drain
    expect(handled).toEqual(ids)
  })
})

describe('long runs', () => {
  it('C88 [S] a day with a cookie that runs out every three hours: a handshake each, nothing lost', async () => {
    const { org, client, clock, read, publish, held, count } = orgBench()
    const reading = read(client.subscribe(channel))
    await held()
    const ids: string[] = []
    for (let quarter = 0; quarter < 96; quarter++) {
      ids.push(...publish())
      await clock.advance(15 * minuteMs)
    }
    expect(reading.ids).toEqual(ids)
    expect(org.inspect.handshakes).toBe(8)
    expect(org.inspect.logins).toBe(1)
    // 110 s a poll, one more for each event, and a few for each session.
    expect(count('connect')).toBeLessThan((24 * hourMs) / 110_000 + 96 + 8 * 4)
    expect(clock.pending).toBeLessThanOrEqual(5)
  })

  it('C88 [S] 500 clients for ten minutes: a poll each, a slot each, and none left afterwards', async () => {
    const first = orgBench()
    const benches = [first, ...Array.from({ length: 499 }, () => orgBench({}, {}, first))]
    const readings: Reading[] = benches.map(({ client, read }) => read(client.subscribe(channel)))
    await first.clock.runUntil(() => first.org.inspect.subscriptions[channel] === 500)
    const ids = first.publish(2)
    await first.clock.advance(10 * minuteMs)
    expect(readings.filter((reading) => reading.ids.join() === ids.join()).length).toBe(500)
    expect(first.org.inspect.slots).toMatchObject({ used: 500, peak: 500 })
    expect(first.org.inspect.handshakes).toBe(500)
    expect(first.org.inspect.maxConcurrentConnects).toBe(1)
    await Promise.all(benches.map(({ client }) => client.stop()))
    expect(first.org.inspect.slots.used).toBe(0)
    expect(first.clock.pending).toBe(0)
  })
})

describe('replies without rhyme or reason', () => {
  it.each(Array.from({ length: 20 }, (_, at) => at + 1))(
    'C90 [S] seed %i: no throw, one connect, live again, all in order',
    async (seed) => {
      const bench = orgBench({}, { seed, scenario: 'C90' })
      const { org, client, clock, read, publish } = bench
      const reading = read(client.subscribe(channel))
      await bench.held()
      const ids: string[] = []
      for (let minute = 0; minute < 60; minute++) {
        ids.push(...publish(minute % 3))
        await clock.advance(minuteMs)
      }
      await clock.advance(5 * minuteMs)
      expect(org.faults.pending).toBe(0)
      expect(reading.ended).toBeUndefined()
      expect(reading.ids).toEqual(ids)
      expect(client.state).toBe('live')
      expect(org.inspect.maxConcurrentConnects).toBe(1)
      expect(org.inspect.handshakes).toBeLessThan(25)
      expect(org.inspect.logins).toBeLessThan(5)
    },
  )
})
