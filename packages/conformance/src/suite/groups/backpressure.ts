import { channel, count, numberOf, onBench, statuses } from '../bench.ts'
import { equal, ok, until } from '../expectations.ts'
import type { Harness } from '../harness.ts'

/** A slow consumer loses nothing, and its buffer stays bounded. */
export function backpressureCases(harness: Harness): void {
  const { org, test } = harness

  test(
    'backpressure',
    'above its mark a channel is paused, and goes on when there is room',
    onBench(harness, async ({ client, orders }) => {
      await org.reset({ switches: { maxEventsPerReply: 10 } })
      const mine = await client()
      const said = statuses(mine)
      const waiting = mine.subscribe('/event/Low_Ink__e')[Symbol.asyncIterator]()
      void waiting.next()
      const subscription = mine.subscribe(channel, { maxBuffered: 10, replay: 'all' })
      await subscription.ready
      await orders(1, 60)
      await until(() => said.some(({ type }) => type === 'paused'), 'a pause')
      ok(subscription.stats.buffered <= 20, `${subscription.stats.buffered} buffered, above the mark and one reply`)
      const seen: unknown[] = []
      for await (const event of subscription) {
        seen.push(numberOf(event))
        ok(subscription.stats.buffered <= 20, `${subscription.stats.buffered} buffered`)
        if (seen.length === 60) break
      }
      equal(seen, count(1, 60))
      equal((await org.look()).handshakes, 1)
    }),
  )
}
