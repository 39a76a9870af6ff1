import { describe, expect, test } from 'vitest'
import { powerFit } from '../src/stats/fit.ts'
import { measurements } from '../src/stats/measurements.ts'
import { seededRandom } from '../src/stats/random.ts'
import { quantile, ratios, summary } from '../src/stats/summary.ts'

describe('summary', () => {
  test.each([
    [[3], { median: 3, min: 3, max: 3, count: 1 }],
    [[5, 1, 3], { median: 3, min: 1, max: 5, count: 3 }],
    [[4, 1, 3, 2], { median: 2.5, min: 1, max: 4, count: 4 }],
    // By value, not by text.
    [[10, 9, 100], { median: 10, min: 9, max: 100, count: 3 }],
  ])('of %j', (values, expected) => {
    expect(summary(values)).toEqual(expected)
  })

  test('makes no figure of nothing', () => {
    expect(() => summary([])).toThrow(RangeError)
    expect(quantile([], 0.5)).toBeNaN()
  })
})

test('a quantile lies between two values by proportion', () => {
  const sorted = [0, 10, 20, 30]
  expect([0, 0.5, 0.9, 1].map((share) => quantile(sorted, share))).toEqual([0, 15, 27, 30])
})

test('ratios are taken round by round, and a round that only one has is left out', () => {
  expect(ratios([10, 40, 9], [5, 10])).toEqual([2, 4])
  expect(ratios([10, 40], [0, 10])).toEqual([4])
})

describe('a power fit', () => {
  test.each([0, 0.5, 1, 2])('finds the exponent %d', (exponent) => {
    const fit = powerFit([1, 10, 100, 1_000].map((x) => [x, 3 * x ** exponent]))
    expect(fit.exponent).toBeCloseTo(exponent)
    expect(fit.factor).toBeCloseTo(3)
    expect(fit.r2).toBeCloseTo(1)
  })

  test('says how much it explains', () => {
    expect(
      powerFit([
        [1, 1],
        [10, 100],
        [100, 1],
        [1_000, 100],
      ] as const).r2,
    ).toBeLessThan(0.5)
  })

  test('takes two different sizes', () => {
    expect(() => powerFit([[1, 1]])).toThrow(RangeError)
    expect(() =>
      powerFit([
        [2, 1],
        [2, 3],
      ] as const),
    ).toThrow(RangeError)
    // Nothing has no logarithm.
    expect(() =>
      powerFit([
        [1, 0],
        [2, 3],
      ] as const),
    ).toThrow(RangeError)
  })
})

test('arrivals are the same for the same seed, and others for another', () => {
  const draw = (seed: number): number[] => Array.from({ length: 5 }, seededRandom(seed))
  expect(draw(1)).toEqual(draw(1))
  expect(draw(1)).not.toEqual(draw(2))
  for (const value of Array.from({ length: 1_000 }, seededRandom(3))) {
    expect(value).toBeGreaterThan(0)
    expect(value).toBeLessThan(1)
  }
})

test('values of one thing are kept together, in order', () => {
  const measured = measurements()
  const key = { row: 'r', metric: 'm', setting: 's', subject: 'a' }
  measured.add(key, 'ms', 2)
  measured.add({ ...key, subject: 'b' }, 'ms', 5)
  measured.add(key, 'ms', 1)
  expect(measured.values(key)).toEqual([2, 1])
  expect(measured.values({ ...key, setting: 'other' })).toEqual([])
  expect(measured.all().map(({ subject }) => subject)).toEqual(['a', 'b'])
  // A round that failed leaves a gap: the rounds of two subjects stay side by side.
  measured.add({ ...key, subject: 'c' }, 'ms', 7, 1)
  expect(measured.values({ ...key, subject: 'c' })).toEqual([Number.NaN, 7])
})
