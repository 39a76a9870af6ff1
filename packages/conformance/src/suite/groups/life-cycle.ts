import { channel, listen, onBench, takeNumbers } from '../bench.ts'
import { equal, failure, ok, promptly, until } from '../expectations.ts'
import type { Harness } from '../harness.ts'

/** Beginnings and ends. */
export function lifeCycleCases(harness: Harness): void {
  const { adapter, org, test } = harness

  test(
    'life-cycle',
    'stop() ends every loop at once and says goodbye',
    onBench(harness, async ({ client }) => {
      const mine = await client()
      const parked = [(await listen(mine)).next(), mine.events().next(), mine.messages().next(), mine.status().return!()]
      await promptly(mine.stop(), 'stop()')
      for (const each of await promptly(Promise.all(parked), 'the loops')) equal(each.done, true)
      equal((await org.look()).alive, 0)
      await promptly(mine.stop(), 'stop() again')
    }),
  )
  test(
    'life-cycle',
    'start() works again after stop()',
    onBench(harness, async ({ client, orders }) => {
      const mine = await client()
      await mine.start()
      equal(mine.state, 'live')
      await mine.stop()
      await mine.start()
      const iterator = await listen(mine)
      await orders(1, 1)
      equal(await takeNumbers(iterator, 1), [1])
    }),
  )
  test(
    'life-cycle',
    'aborting the client rejects its loops with the reason, and says goodbye',
    onBench(harness, async ({ client }) => {
      const controller = new AbortController()
      const mine = await client({ signal: controller.signal })
      const parked = failure((await listen(mine)).next())
      const reason = new Error('shutting down')
      controller.abort(reason)
      ok((await promptly(parked, 'the loop')) === reason, 'the very reason')
      await until(async () => (await org.look()).alive === 0, 'a goodbye')
    }),
  )
  test(
    'life-cycle',
    'askStop() finishes what is buffered',
    onBench(harness, async ({ client, orders }) => {
      const mine = await client()
      const subscription = mine.subscribe(channel)
      await subscription.ready
      await orders(1, 3)
      await until(() => subscription.stats.received === 3, 'three events')
      mine.askStop()
      const seen: unknown[] = []
      for await (const event of subscription) seen.push(event.payload)
      equal(seen.length, 3)
    }),
  )
  test(
    'life-cycle',
    'unsubscribe(channel) ends the loop and leaves the client',
    onBench(harness, async ({ client }) => {
      const mine = await client()
      const parked = (await listen(mine)).next()
      await mine.start()
      await promptly(mine.unsubscribe(channel), 'unsubscribe()')
      equal((await promptly(parked, 'the loop')).done, true)
      equal(mine.state, 'live')
    }),
  )
  test(
    'life-cycle',
    'nothing is sent before it is asked for, and a stop before that is nothing',
    onBench(harness, async () => {
      const mine = adapter.createClient({ auth: await org.session(), replayStore: null })
      equal(mine.state, 'idle')
      await promptly(mine[Symbol.asyncDispose](), 'disposing')
      equal((await org.look()).handshakes, 0)
    }),
  )
}
