import fc from 'fast-check'
import { expect, test } from 'vitest'
import { channel, other } from './relay-bench.ts'
import { type Act, simulate } from './relay-simulation.ts'

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('publish' as const),
      count: fc.integer({ min: 1, max: 40 }),
      on: fc.constantFrom(channel, other),
    }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 60_000 }) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constantFrom('cut' as const, 'lose' as const, 'restart' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('join' as const),
      on: fc.constantFrom(channel, other),
      paceMs: fc.constantFrom(0, 0, 50, 2_000),
      both: fc.boolean(),
    }),
  },
)

test('whatever happens to streams, sessions and relays, every browser gets every event of its channels once and in order', async () => {
  const total = { readers: 0, gapped: 0 }
  const run = async (acts: readonly Act[], seed: number): Promise<void> => {
    const { readers, gapped } = await simulate(acts, seed)
    total.readers += readers
    total.gapped += gapped
  }
  await fc.assert(fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), fc.integer(), run), {
    numRuns: Number(process.env.RELAY_RUNS ?? 60),
  })
  // Of those, next to nothing is promised: they must be the exception.
  expect(total.gapped).toBeLessThan(total.readers / 5)
  if (process.env.RELAY_RUNS) console.log(total)
})
