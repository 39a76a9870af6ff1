import { describe, expect, test } from 'vitest'
import { channel, type RelayBench, relayBench } from './relay-bench.ts'

const sse = { accept: 'text/event-stream' }
const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at)

/** A reader that takes what there is only when it is let, and how far it has come. */
async function slowReader(bench: RelayBench, query: string, lastEventId?: string) {
  const headers = { ...sse, ...(lastEventId && { 'last-event-id': lastEventId }) }
  const reader = (await bench.get(`?channel=${channel}&${query}`, headers)).body!.getReader()
  const decoder = new TextDecoder()
  let text = ''
  /** False at the end. */
  const take = async (): Promise<boolean> => {
    const { done, value } = await reader.read()
    if (!done) text += decoder.decode(value, { stream: true })
    return !done
  }
  return {
    take,
    readOn() {
      const all = async (): Promise<void> => {
        while (await take());
      }
      all().catch(() => {})
    },
    numbers: () => [...text.matchAll(/"Number__c":(\d+)/g)].map(([, number]) => Number(number)),
    /** The cursor after each event, by its number. */
    cursors: () =>
      new Map([...text.matchAll(/^id: (.*)\n(?:event: .*\n)?data: .*"Number__c":(\d+)/gm)].map(([, id, number]) => [Number(number), id])),
    leave: () => reader.cancel(),
  }
}

/** One who holds the channel open, and so the live window. */
async function liveReader(bench: RelayBench) {
  const live = await slowReader(bench, 'from=new')
  live.readOn()
  await bench.clock.advance(1_000)
  return live
}

/** One by one: more than the window holds at once would have to be replayed to the live reader, too. */
async function publishFor(bench: RelayBench, live: Awaited<ReturnType<typeof liveReader>>, count: number): Promise<void> {
  for (let number = 1; number <= count; number++) {
    bench.publish()
    await bench.clock.runUntil(() => live.numbers().length === number)
  }
}

describe('a replay that readers of a relay share [PROTOCOL L3, L4]', () => {
  test('ends where it meets the live window: the org’s session for it is over then', async () => {
    const bench = relayBench({ window: { maxEvents: 5 } })
    const live = await liveReader(bench)
    await publishFor(bench, live, 20)
    const late = await slowReader(bench, 'from=all')
    late.readOn()
    await bench.clock.runUntil(() => late.numbers().length === 20)
    // No quiet is waited for: as long as it lasts, all that is published counts against the org's allocation twice.
    await bench.clock.advance(1_000)
    expect(bench.org.inspect.slots).toMatchObject({ used: 1, peak: 2 })
    bench.publish(5)
    await bench.clock.runUntil(() => late.numbers().length === 25)
    expect(late.numbers()).toEqual(upTo(25))
    expect(bench.relay.stats.catchUps).toBe(1)
    expect(bench.org.inspect.deliveries[channel]).toBe(20 + 20 + 5)
    await bench.relay.close()
  })

  test('waits for a reader that is slow, and is not begun again for it', async () => {
    const bench = relayBench({ window: { maxEvents: 5 } })
    bench.publish(6_000)
    await liveReader(bench)
    const late = await slowReader(bench, 'from=all')
    const reading = (async () => {
      while (late.numbers().length < 6_000) {
        await late.take()
        await new Promise<void>((resolve) => void bench.clock.delay(resolve, 1_000))
      }
    })()
    await bench.clock.runUntil(() => late.numbers().length === 6_000)
    expect(late.numbers()).toEqual(upTo(6_000))
    expect(bench.relay.stats.catchUps).toBe(1)
    await bench.clock.advance(1_000)
    await reading
    await bench.relay.close()
  })

  test('goes on without one that stands still, which has the rest when it reads again', async () => {
    const bench = relayBench({ window: { maxEvents: 5 } })
    bench.publish(6_000)
    await liveReader(bench)
    const [stalled, other] = await Promise.all([slowReader(bench, 'from=all'), slowReader(bench, 'from=all')])
    other.readOn()
    await bench.clock.runUntil(() => other.numbers().length === 6_000, 600_000)
    expect(other.numbers()).toEqual(upTo(6_000))
    stalled.readOn()
    await bench.clock.runUntil(() => stalled.numbers().length === 6_000, 600_000)
    expect(stalled.numbers()).toEqual(upTo(6_000))
    await bench.relay.close()
  })

  test('begins with the oldest position, so that the others meet theirs in it', async () => {
    const bench = relayBench({ window: { maxEvents: 5 } })
    const live = await liveReader(bench)
    await publishFor(bench, live, 100)
    const after = (number: number): string => live.cursors().get(number) as string
    const readers = await Promise.all([60, 10, 30].map((number) => slowReader(bench, '', after(number))))
    for (const reader of readers) reader.readOn()
    await bench.clock.runUntil(() => readers.every((reader) => reader.numbers().at(-1) === 100))
    expect(readers.map((reader) => reader.numbers())).toEqual([upTo(100, 61), upTo(100, 11), upTo(100, 31)])
    expect(bench.relay.stats.catchUps).toBe(1)
    await bench.relay.close()
  })
})

test('where the relay’s session is lost before it had a position, what it brings anew is no news to who has had it [PROTOCOL L6]', async () => {
  const bench = relayBench()
  const live = await liveReader(bench)
  await publishFor(bench, live, 5)
  const after5 = live.cursors().get(5) as string
  await bench.restart()
  const again = await slowReader(bench, '', after5)
  again.readOn()
  // A replay has shown that nothing came since.
  await bench.clock.runUntil(() => bench.relay.stats.catchUps === 1 && bench.org.inspect.slots.used === 1)
  bench.org.faults.loseSessions()
  await bench.clock.runUntil(() => bench.org.inspect.deliveries[channel] === 5 + 5)
  bench.publish(2)
  await bench.clock.runUntil(() => again.numbers().at(-1) === 7)
  expect(again.numbers()).toEqual([6, 7])
  await bench.relay.close()
})

test('Last-Event-ID comes before the cursor of the URL, which a reader that was begun with it goes on naming', async () => {
  const bench = relayBench()
  const live = await liveReader(bench)
  bench.publish(4)
  await bench.clock.runUntil(() => live.numbers().length === 4)
  const after = (number: number): string => live.cursors().get(number) as string
  const again = await slowReader(bench, `cursor=${encodeURIComponent(after(1))}`, after(3))
  again.readOn()
  await bench.clock.advance(1_000)
  expect(again.numbers()).toEqual([4])
  await bench.relay.close()
})
