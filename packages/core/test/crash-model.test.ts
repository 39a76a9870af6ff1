import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crashModel } from './support/crash-model.ts'

const no = { moves: false, nameless: false, twice: false }

describe('whatever programs, stores and orgs do, and wherever a process is killed: nothing is lost, passed, out of order or left behind', () => {
  test.each([
    ['one org', no],
    ['orgs that change', { ...no, moves: true }],
    ['events without ids', { ...no, nameless: true }],
    ['replies told twice', { ...no, twice: true }],
  ])('%s', async (_, kinds) => {
    const whatever = fc.asyncProperty(fc.gen(), async (draw) => {
      const lines: string[] = []
      const violations = await crashModel(
        (below) => draw(fc.nat, { max: below - 1 }),
        kinds,
        (line) => lines.push(line),
      )
      expect(violations, lines.slice(-60).join('\n')).toEqual([])
    })
    await fc.assert(whatever, { numRuns: Number(process.env.RUNS ?? 40), ...(process.env.NOSHRINK && { endOnFailure: true }) })
  })
})
