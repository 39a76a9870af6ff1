import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Subscription } from '../../src/delivery/subscription.ts'
import { eventBatches } from '../../src/fan-out/event-batches.ts'

/** A subscription that hands out replies: lists of replay ids. */
function replies(lists: readonly (readonly number[])[]): Subscription {
  const stats = { buffered: 0 }
  async function* events() {
    for (const list of lists) {
      for (const [at, replayId] of list.entries()) {
        stats.buffered = list.length - at - 1
        yield { replayId }
      }
    }
  }
  return { stats, [Symbol.asyncIterator]: events } as unknown as Subscription
}

/** Ids that repeat, as those of enriched change events do. */
const reply = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 1_200 }).map((ids) => [...ids].sort((a, b) => a - b))

test('no event is left out, and a position is reached with the last event of its id in a reply, nowhere else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(reply, { maxLength: 4 }), fc.integer({ min: 1, max: 20_000 }), async (lists, bytes) => {
      // Ids grow from reply to reply.
      const shifted = lists.map((list, at) => list.map((id) => id + at * 1_000))
      const handed: { value: number; position: unknown }[] = []
      for await (const batch of eventBatches(replies(shifted), ({ replayId }) => ({ value: replayId as number, bytes }))) {
        expect(batch.length).toBeLessThanOrEqual(500)
        handed.push(...batch.map(({ value, position }) => ({ value, position })))
      }
      const expected = shifted.flatMap((list) => list.map((id, at) => ({ value: id, position: list[at + 1] === id ? undefined : id })))
      expect(handed).toEqual(expected)
    }),
    { numRuns: 60 },
  )
})

test('an id that a drain ended amid is no position, and its events come with those that were dropped', async () => {
  const stats: { buffered: number; ended?: string } = { buffered: 0 }
  async function* events() {
    yield { replayId: 1 }
    stats.buffered = 3
    yield { replayId: 2 }
    stats.buffered = 0
    // Two more of that id were dropped.
    stats.ended = 'reached-start'
    yield { replayId: 3 }
  }
  const subscription = { stats, [Symbol.asyncIterator]: events } as unknown as Subscription
  const handed: unknown[] = []
  for await (const batch of eventBatches(subscription, ({ replayId }) => ({ value: replayId, bytes: 1 }))) {
    handed.push(...batch.map(({ value, position }) => [value, position]))
  }
  expect(handed).toEqual([
    [1, 1],
    [2, 2],
  ])
})
