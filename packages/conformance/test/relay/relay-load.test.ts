import { expect, test } from 'vitest'
import { relayLoad } from '../../relay-load/relay-load.ts'

test('500 readers on one session, one of which stands still: every other is complete, memory stays flat, and the one catches up', async () => {
  const { sessions, complete, stalledAt, memory, catchUps } = await relayLoad({ readers: 500, singles: 5, burst: 5_000 })
  expect(sessions).toBe(1)
  expect(complete).toBe(499)
  // It did fall out of the window, and was served by a replay: the run ends only when it has everything.
  expect(stalledAt).toBeLessThan(5_000)
  expect(catchUps).toBe(1)
  // What is held at best, among samples taken while buffers are on their way, must not grow.
  const heaps = memory.slice(1, -1).map(({ heap }) => heap)
  const least = (part: readonly number[]): number => Math.min(...part)
  expect(least(heaps.slice(5))).toBeLessThan(least(heaps.slice(0, 5)) * 1.25)
})
