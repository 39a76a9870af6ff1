import type { createMockOrg, Switches } from '@sfstream/mock-org'
import { expect } from 'vitest'
import { channel, other, relayBench } from './relay-bench.ts'

export type Act =
  | { what: 'publish'; count: number; on: string }
  | { what: 'cut' | 'lose' | 'restart' | 'restart-org-side' }
  | { what: 'pass'; ms: number }
  | { what: 'join'; on: string; paceMs: number; both: boolean }

/** What one subscription of one browser has handled, and what had been published when it was known to be on. */
interface Reader {
  on: string
  numbers: number[]
  /** Events published before were not asked for. */
  from: number | undefined
  gaps(): number
}

/** Browsers, a relay and an org through all that: nothing may be lost, come twice, or come out of order. */
export async function simulate(acts: readonly Act[], seed: number): Promise<{ readers: number; gapped: number }> {
  const switches: Partial<Switches> = {
    replayDelayMs: seed % 2 === 0 ? 0 : 3_000,
    eventDateLagMs: seed % 3 === 0 ? 120_000 : 0,
    dataOn: seed % 5 === 0 ? 'any-reply' : 'connect',
  }
  const limits = { window: { maxEvents: 30, maxBytes: 8_000 }, heartbeatMs: 5_000, lingerMs: 30_000 }
  const bench = relayBench(limits, { seed, switches } as Parameters<typeof createMockOrg>[0])
  const readers: Reader[] = []
  const clients: { stop(): Promise<void> }[] = []

  const join = (on: string, paceMs: number, both: boolean): void => {
    const browser = bench.browser()
    clients.push(browser.client)
    for (const name of both ? [channel, other] : [on]) {
      const subscription = browser.client.subscribe<{ Number__c: number }>(name, { replay: 'new', maxBuffered: 20 })
      const reader: Reader = {
        on: name,
        numbers: [],
        from: undefined,
        gaps: () => browser.statuses.filter((status) => status.type === 'replayGap').length,
      }
      readers.push(reader)
      void subscription.ready.then(
        () => {
          reader.from = bench.published(name).length
        },
        () => {},
      )
      void (async () => {
        for await (const event of subscription) {
          reader.numbers.push(event.payload.Number__c)
          if (paceMs > 0) await new Promise<void>((resolve) => void bench.clock.delay(resolve, paceMs))
        }
      })().catch(() => {})
    }
  }

  for (const each of acts) {
    if (each.what === 'publish') bench.publish(each.count, each.on, 'shared')
    else if (each.what === 'cut') bench.cut()
    else if (each.what === 'lose') bench.org.faults.loseSessions()
    else if (each.what === 'restart') await bench.restart()
    else if (each.what === 'pass') await bench.clock.advance(each.ms)
    else if (each.what === 'join') join(each.on, each.paceMs, each.both)
    await bench.clock.advance(10)
  }
  const missing = (reader: Reader): number[] => {
    const had = new Set(reader.numbers)
    return (bench.published(reader.on) as number[]).slice(reader.from ?? Number.POSITIVE_INFINITY).filter((number) => !had.has(number))
  }
  await bench.clock
    .runUntil(() => readers.every((reader) => reader.from !== undefined && (missing(reader).length === 0 || reader.gaps() > 0)), 3_600_000)
    .catch(() => {})
  try {
    for (const reader of readers) {
      expect(reader.from, 'accepted').toBeDefined()
      // A window this small can lose sight of a browser that has no position yet: then it has been told.
      if (reader.gaps() > 0) continue
      expect(missing(reader), 'lost').toEqual([])
      expect(reader.numbers, 'in order, once').toEqual([...new Set(reader.numbers)].sort((a, b) => a - b))
    }
    return { readers: readers.length, gapped: readers.filter((reader) => reader.gaps() > 0).length }
  } finally {
    for (const client of clients) await client.stop()
    await bench.relay.close()
  }
}
