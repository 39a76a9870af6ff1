import { channel, listen, onBench, openStore, statuses, take, takeNumbers } from '../bench.ts'
import { equal, failure, ok, until } from '../expectations.ts'
import type { Harness } from '../harness.ts'

/** Where a subscription begins, and where it goes on. */
export function replayCases(harness: Harness): void {
  const { adapter, org, test } = harness

  test(
    'replay',
    "'all' begins with everything retained, 'new' with what comes",
    onBench(harness, async ({ client, orders }) => {
      await orders(1, 3)
      const fresh = await listen(await client(), { replay: 'new' })
      const all = await listen(await client(), { replay: 'all' })
      equal(await takeNumbers(all, 3), [1, 2, 3])
      await orders(4, 1)
      equal(await takeNumbers(fresh, 1), [4])
      equal(await takeNumbers(all, 1), [4])
    }),
  )
  test(
    'replay',
    'an id begins after that event',
    onBench(harness, async ({ client, orders }) => {
      const ids = await orders(1, 4)
      const iterator = await listen(await client(), { replay: Number(ids[1]) })
      equal(await takeNumbers(iterator, 2), [3, 4])
    }),
  )
  test(
    'replay',
    'a second client goes on where the first stopped',
    onBench(harness, async ({ client, orders }) => {
      const replayStore = openStore()
      const first = await client({ replayStore })
      const iterator = await listen(first)
      await orders(1, 3)
      equal(await takeNumbers(iterator, 3), [1, 2, 3])
      // Asking for another finishes the third.
      const parked = iterator.next()
      await first.stop()
      await parked
      await orders(4, 2)
      equal(await takeNumbers(await listen(await client({ replayStore })), 2), [4, 5])
    }),
  )
  test(
    'replay',
    'an event in hand when a loop is left comes again',
    onBench(harness, async ({ client, orders }) => {
      const replayStore = openStore()
      const first = await client({ replayStore })
      const iterator = await listen(first)
      await orders(1, 2)
      await takeNumbers(iterator, 2)
      await iterator.return!()
      await first.stop()
      equal(await takeNumbers(await listen(await client({ replayStore })), 1), [2])
    }),
  )
  test(
    'replay',
    'manual commits: a position never passes an unfinished event',
    onBench(harness, async ({ client, orders }) => {
      const replayStore = openStore()
      const first = await client({ replayStore, commit: 'manual' })
      const iterator = await listen(first)
      const ids = await orders(1, 3)
      const [one, , three] = await take(iterator, 3)
      const last = three!.commit()
      await one!.commit()
      equal(replayStore.saved.map(String), [ids[0]])
      await first.stop()
      await last.catch(() => {})
      equal(await takeNumbers(await listen(await client({ replayStore, commit: 'manual' })), 2), [2, 3])
    }),
  )
  test(
    'replay',
    'consumers have positions of their own',
    onBench(harness, async ({ client, orders }) => {
      const replayStore = openStore()
      const one = await listen(await client({ replayStore, consumer: 'one' }), { replay: 'all' })
      await orders(1, 2)
      await takeNumbers(one, 2)
      void one.next()
      await until(() => replayStore.saved.length > 0, 'a saved position')
      equal(await takeNumbers(await listen(await client({ replayStore, consumer: 'two' }), { replay: 'all' }), 2), [1, 2])
    }),
  )
  test(
    'replay',
    'a refused position is reported, and everything retained comes',
    onBench(harness, async ({ client, orders }) => {
      await orders(1, 2)
      const mine = await client()
      const said = statuses(mine)
      const iterator = await listen(mine, { replay: 987_654_321 })
      equal(await takeNumbers(iterator, 2), [1, 2])
      const gap = said.find((status) => status.type === 'replayGap')
      ok(gap?.type === 'replayGap', 'a replayGap')
      equal([gap.reason, gap.from, gap.to, gap.channel], ['position-refused', 987_654_321, 'all', channel])
    }),
  )
  test(
    'replay',
    "replayFallback: 'fail' rejects with a ReplayError",
    onBench(harness, async ({ client }) => {
      const mine = await client({ replayFallback: 'fail' })
      const error = await failure(mine.subscribe(channel, { replay: 987_654_321 })[Symbol.asyncIterator]().next())
      ok(error instanceof adapter.ReplayError, `a ReplayError, not ${error}`)
      equal(error.code, 'replay_refused')
      equal((await org.look()).subscriptions, {})
    }),
  )
}
