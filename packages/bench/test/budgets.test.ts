import { describe, expect, test } from 'vitest'
import { labels } from '../src/clients/client-names.ts'
import { benchOptions } from '../src/options/bench-options.ts'
import { type Budget, budgets, isMet } from '../src/report/budgets.ts'
import { check } from '../src/report/check.ts'
import { batchSetting, throughputRow } from '../src/rows/throughput.ts'
import { measurements } from '../src/stats/measurements.ts'

const budget = (value: number | undefined, is: Budget['is'], limit: number): Budget => ({ name: 'a budget', value, is, limit, unit: 'x' })

test.each([
  ['at least', 1, true],
  ['at least', 0.99, false],
  ['above', 1, false],
  ['above', 1.01, true],
  ['below', 1, false],
  ['below', 0.99, true],
  ['at most', 1, true],
  ['at most', 1.01, false],
] as const)('%s 1: %d is met: %s', (is, value, met) => {
  expect(isMet({ ...budget(value, is, 1), value })).toBe(met)
})

describe('check', () => {
  test('names each miss with its value and its budget', () => {
    const { text, ok } = check([budget(0.5, 'at least', 0.95), budget(1, 'at least', 0.95)], false)
    expect(ok).toBe(false)
    expect(text).toMatch(/a budget +0\.500 x +at least 0\.95 +MISSED/)
    expect(text).toContain('1 met, 1 missed, 0 not measured')
  })

  test('is no success with a budget unmeasured, unless the run left it out on purpose', () => {
    const all = [budget(1, 'at least', 0.95), budget(undefined, 'below', 10)]
    expect(check(all, false)).toMatchObject({ ok: false, text: expect.stringContaining('not measured: a budget') })
    expect(check(all, true).ok).toBe(true)
  })
})

test('a ratio is that of the rounds, not of the medians', () => {
  const measured = measurements()
  const key = { row: throughputRow({ workUs: 0, delayMs: 0 }), metric: 'events per second', setting: batchSetting(1) }
  for (const rate of [100, 10, 50]) measured.add({ ...key, subject: labels['sfstream-core'] }, 'events/s', rate)
  for (const rate of [100, 20, 25]) measured.add({ ...key, subject: labels['bare-fetch'] }, 'events/s', rate)
  const found = budgets(measured).find(({ name }) => name.startsWith(`${labels['sfstream-core']} / ${labels['bare-fetch']}, batch 1,`))
  expect(found).toMatchObject({ value: 1, is: 'at least', limit: 0.95 })
})

test('every line of the table is there before anything was measured, and has no value', () => {
  const all = budgets(measurements())
  expect(all.length).toBeGreaterThan(50)
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
  expect(all.every(({ value }) => value === undefined)).toBe(true)
})

describe('options', () => {
  const known = ['throughput', 'heap'] as const
  test('all rows by default; those that are named, in the order of the table', () => {
    expect(benchOptions([], known)).toMatchObject({ names: ['throughput', 'heap'], partial: false, check: false, quick: false })
    expect(benchOptions(['--only', 'heap,throughput', '--quick'], known)).toMatchObject({ names: known, partial: true, quick: true })
    expect(benchOptions(['growth', '--check'], known)).toMatchObject({ growth: true, check: true })
  })

  test('a name that is not known is an error', () => {
    expect(() => benchOptions(['--only', 'speed'], known)).toThrow('speed')
    expect(() => benchOptions(['speed'], known)).toThrow('speed')
  })
})
