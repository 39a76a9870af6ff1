import { channel, numberOf, onBench, openStore } from '../bench.ts'
import { equal } from '../expectations.ts'
import type { Harness } from '../harness.ts'

/** Subscriptions that end by themselves. */
export function drainCases(harness: Harness): void {
  const { test } = harness

  test(
    'drain',
    'a backlog is worked off, and the loop ends when it is caught up',
    onBench(harness, async ({ client, orders }) => {
      await orders(1, 5)
      const subscription = (await client()).subscribe(channel, { replay: 'all', until: { idleMs: 500 } })
      const seen: unknown[] = []
      for await (const event of subscription) seen.push(numberOf(event))
      equal(seen, [1, 2, 3, 4, 5])
      equal(subscription.stats.ended, 'idle')
    }),
  )
  test(
    'drain',
    'maxEvents: the next drain goes on from there',
    onBench(harness, async ({ client, orders }) => {
      const replayStore = openStore()
      await orders(1, 5)
      const seen: unknown[] = []
      for (const replay of ['all', 'stored', 'stored'] as const) {
        const mine = await client({ replayStore })
        for await (const event of mine.subscribe(channel, { replay, until: { maxEvents: 2, idleMs: 150 } })) seen.push(numberOf(event))
        await mine.stop()
      }
      equal(seen, [1, 2, 3, 4, 5])
    }),
  )
  test(
    'drain',
    'maxMs ends it, though nothing came',
    onBench(harness, async ({ client }) => {
      const subscription = (await client()).subscribe(channel, { until: { maxMs: 100 } })
      for await (const _ of subscription);
      equal(subscription.stats.ended, 'maxMs')
    }),
  )
}
