import { channel, count, listen, onBench, take, takeNumbers } from '../bench.ts'
import { equal, ok } from '../expectations.ts'
import type { Harness } from '../harness.ts'

const families = {
  '/event/Low_Ink__e': 'platform-event',
  '/data/AccountChangeEvent': 'change-event',
  '/topic/InvoiceStatementUpdates': 'push-topic',
  '/u/notifications/ExampleUserChannel': 'generic',
  '/systemTopic/Logging': 'system-topic',
} as const

/** What is published arrives, whole and in order. */
export function deliveryCases(harness: Harness): void {
  const { org, test } = harness

  for (const [name, kind] of Object.entries(families)) {
    test(
      'delivery',
      `a ${kind} arrives`,
      onBench(harness, async ({ client }) => {
        const iterator = await listen(await client(), {}, name)
        const id = await org.sample(name)
        const [event] = await take(iterator, 1)
        equal(event?.kind, kind)
        equal(event?.channel, name)
        equal(event?.replayId === undefined ? undefined : String(event.replayId), id)
        ok(event?.payload !== undefined, 'a payload')
      }),
    )
  }
  test(
    'delivery',
    '5,000 events at once arrive in order',
    onBench(harness, async ({ client, orders }) => {
      const iterator = await listen(await client())
      await orders(1, 5_000)
      equal(await takeNumbers(iterator, 5_000), count(1, 5_000))
    }),
  )
  test(
    'delivery',
    'events published one by one arrive at once, each on the poll that is held',
    onBench(harness, async ({ client, orders }) => {
      const iterator = await listen(await client())
      for (const number of count(1, 20)) {
        await orders(number, 1)
        equal(await takeNumbers(iterator, 1), [number])
      }
      equal((await org.look()).maxConcurrentConnects, 1)
    }),
  )
  test(
    'delivery',
    'text survives: other scripts, quotes, control characters, keys such as constructor',
    onBench(harness, async ({ client }) => {
      const iterator = await listen(await client())
      const payload = { Text__c: 'Zürich 東京 🏔️ "quoted" \\ \u2028 \u0007', constructor: 'kept', nested: { __proto: [1, null, 2.5e-7] } }
      await org.publish(channel, [payload])
      const [event] = await take(iterator, 1)
      const received = event?.payload as Record<string, unknown>
      for (const [key, value] of Object.entries(payload)) equal(received[key], value, key)
    }),
  )
  test(
    'delivery',
    'replay ids beyond 2^53 keep their digits, and are resumed from',
    onBench(harness, async ({ client, orders }) => {
      await org.reset({}, '9007199254740993')
      const mine = await client()
      const iterator = await listen(mine)
      const [id] = await orders(1, 1)
      const [event] = await take(iterator, 1)
      equal(String(event?.replayId), id)
      await orders(2, 2)
      await mine.stop()
      const again = await listen(await client(), { replay: event!.replayId! })
      equal(await takeNumbers(again, 2), [2, 3])
    }),
  )
  test(
    'delivery',
    'events() brings every channel, subscribed before or after',
    onBench(harness, async ({ client, orders }) => {
      const mine = await client()
      const all = mine.events()
      await mine.subscribe(channel).ready
      await mine.subscribe('/event/Low_Ink__e').ready
      await orders(1, 1)
      const first = await all.next()
      await org.sample('/event/Low_Ink__e')
      const second = await all.next()
      equal([first.value?.channel, second.value?.channel], [channel, '/event/Low_Ink__e'])
    }),
  )
}
