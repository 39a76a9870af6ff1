import fc from 'fast-check'
import { expect, it } from 'vitest'
import { storm } from './support/storm.ts'

it('whatever users do, and whatever org and network do meanwhile: nothing is lost, out of order, in silence, or left behind', async () => {
  const whatever = fc.asyncProperty(fc.gen(), fc.nat(), async (draw, seed) => {
    expect(await storm((below) => draw(fc.nat, { max: below - 1 }), seed)).toEqual([])
  })
  await fc.assert(whatever, { numRuns: Number(process.env.RUNS ?? 60) })
})
