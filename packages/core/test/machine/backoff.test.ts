import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs, failedOnce, limitDelayMs, noAttempts } from '../../src/bayeux/machine/backoff.ts'
import type { RetryPolicy } from '../../src/index.ts'

const policy: RetryPolicy = { baseMs: 100, factor: 2, capMs: 1_000, maxAttempts: 5, maxElapsedMs: 60_000, jitter: 'none' }

describe('backoff', () => {
  it('grows by the factor, up to the cap, for as many attempts as allowed', () => {
    const delays = [1, 2, 3, 4, 5].map((count) => backoffMs({ ...policy, capMs: 500 }, { count, since: 0 }, 0, 1))
    expect(delays).toEqual([100, 200, 400, 500, undefined])
  })

  it('gives up once the time is over', () => {
    expect(backoffMs(policy, { count: 1, since: 0 }, 59_999, 1)).toBe(100)
    expect(backoffMs(policy, { count: 1, since: 0 }, 60_000, 1)).toBeUndefined()
  })

  it('with full jitter lies between nothing and the delay without it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (count, random) => {
        const unbounded = { ...policy, maxAttempts: Number.POSITIVE_INFINITY }
        const ceiling = backoffMs(unbounded, { count, since: 0 }, 0, random) as number
        const delay = backoffMs({ ...unbounded, jitter: 'full' }, { count, since: 0 }, 0, random) as number
        expect(ceiling).toBeLessThanOrEqual(1_000)
        expect(delay).toBeCloseTo(ceiling * random)
      }),
    )
  })

  it('counts from the first failure', () => {
    const first = failedOnce(noAttempts, 10)
    expect(first).toEqual({ count: 1, since: 10 })
    expect(failedOnce(first, 99)).toEqual({ count: 2, since: 10 })
  })

  it('limits are waited for between half a minute and an hour', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (count, random) => {
        const delay = limitDelayMs({ count, since: 0 }, random)
        expect(delay).toBeGreaterThanOrEqual(30_000)
        expect(delay).toBeLessThanOrEqual(3_600_000)
      }),
    )
  })
})
