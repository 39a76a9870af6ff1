import { channel, count, listen, onBench, takeNumbers } from '../bench.ts'
import { equal, failure, ok, promptly, until } from '../expectations.ts'
import type { Harness } from '../harness.ts'

/** The iterator contract. */
export function iteratorCases(harness: Harness): void {
  const { adapter, org, test } = harness

  test(
    'iterator',
    'a second consumer of a subscription throws at once',
    onBench(harness, async ({ client }) => {
      const subscription = (await client()).subscribe(channel)
      subscription[Symbol.asyncIterator]()
      const error = await failure(() => subscription[Symbol.asyncIterator]())
      ok(error instanceof adapter.StateError, 'a StateError')
      equal(error.code, 'already_consumed')
    }),
  )
  test(
    'iterator',
    'parked calls are answered in order, and all settle at close',
    onBench(harness, async ({ client, orders }) => {
      const subscription = (await client()).subscribe(channel)
      await subscription.ready
      const iterator = subscription[Symbol.asyncIterator]()
      const parked = [iterator.next(), iterator.next(), iterator.next()]
      await orders(1, 2)
      equal((await parked[0])?.done, false)
      equal((await parked[1])?.done, false)
      await subscription.close()
      equal((await parked[2])?.done, true)
    }),
  )
  test(
    'iterator',
    'return() settles at once even while parked, and twice',
    onBench(harness, async ({ client }) => {
      const iterator = await listen(await client())
      const parked = iterator.next()
      equal((await promptly(iterator.return!(), 'return()')).done, true)
      equal((await promptly(iterator.return!(), 'return() again')).done, true)
      equal((await promptly(parked, 'the parked call')).done, true)
    }),
  )
  test(
    'iterator',
    'abort rejects with the reason of the signal',
    onBench(harness, async ({ client }) => {
      const controller = new AbortController()
      const iterator = await listen(await client(), { signal: controller.signal })
      const parked = failure(iterator.next())
      const reason = new Error('the page was left')
      controller.abort(reason)
      ok((await promptly(parked, 'the parked call')) === reason, 'the very reason')
    }),
  )
  test(
    'iterator',
    'a fault rejects with its coded error, after what was buffered',
    onBench(harness, async ({ client, orders }) => {
      const mine = await client({ reconnect: false })
      const subscription = mine.subscribe(channel)
      await subscription.ready
      await orders(1, 2)
      await until(() => subscription.stats.received === 2, 'two events in the buffer')
      await org.loseSessions()
      const iterator = subscription[Symbol.asyncIterator]()
      equal(await takeNumbers(iterator, 2), [1, 2])
      const error = await failure(iterator.next())
      ok(error instanceof adapter.HandshakeError, `a HandshakeError, not ${error}`)
      equal(error.code, 'session_lost')
    }),
  )
  test(
    'iterator',
    'leaving one loop never touches another',
    onBench(harness, async ({ client, orders }) => {
      const mine = await client()
      const other = await listen(mine, {}, '/event/Low_Ink__e')
      const orderEvents = await listen(mine)
      await orderEvents.return!()
      await org.sample('/event/Low_Ink__e')
      equal((await other.next()).done, false)
      await orders(1, 1)
      equal((await org.look()).alive, 1)
    }),
  )
  test(
    'iterator',
    'disposing a subscription ends its loop and gives the channel back',
    onBench(harness, async ({ client, orders }) => {
      const mine = await client()
      const subscription = mine.subscribe(channel)
      await subscription.ready
      const seen: unknown[] = []
      const loop = (async () => {
        for await (const event of subscription) seen.push(event)
      })()
      await orders(1, 3)
      await until(() => seen.length === 3, 'three events')
      await subscription[Symbol.asyncDispose]()
      await promptly(loop, 'the loop')
      await until(async () => (await org.look()).subscriptions[channel] === undefined, 'the channel unsubscribed')
      equal(seen.length, count(1, 3).length)
    }),
  )
}
