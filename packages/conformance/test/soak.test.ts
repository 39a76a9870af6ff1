import { beforeAll, describe, expect, test } from 'vitest'
import { garbageCollector } from '../soak/collect-garbage.ts'
import { allowance, type Day } from '../soak/day.ts'
import { type Month, simulateMonth } from '../soak/month.ts'
import { sequenceCheck } from '../soak/sequence-check.ts'

const sum = (days: readonly Day[], of: (day: Day) => number): number => days.reduce((total, day) => total + of(day), 0)

describe('thirty simulated days', () => {
  let month: Month
  beforeAll(async () => {
    month = await simulateMonth(30)
  }, 120_000)

  test('every event is handled once and in order', () => {
    expect(month.endings).toEqual([undefined, undefined, undefined, undefined])
    for (const [channel, { published, ...counts }] of Object.entries(month.channels)) {
      expect(published, channel).toBeGreaterThan(20_000)
      expect(counts, channel).toEqual({ handled: published, repeated: 0, disordered: 0, missing: 0 })
    }
  })

  test('handshakes, logins and requests of each day stay within what its losses explain', () => {
    for (const [at, day] of month.days.entries()) {
      const { handshakes, handshakesTried, logins, requests } = allowance(day, at === 0)
      expect(day.logins, `logins of day ${at + 1}`).toBe(logins)
      expect(day.handshakes, `handshakes of day ${at + 1}`).toBeLessThanOrEqual(handshakes)
      expect(day.handshakesTried, `handshakes tried on day ${at + 1}`).toBeLessThanOrEqual(handshakesTried)
      expect(day.requests, `requests of day ${at + 1}`).toBeLessThanOrEqual(requests)
    }
    expect(month.mostConnects).toBe(1)
  })

  test('status() tells of every lost session and every new token, and of no gap', () => {
    for (const [at, day] of month.days.entries()) {
      expect(day.reauthentications, `day ${at + 1}`).toBe(day.revoked)
      expect(day.rehandshakes, `day ${at + 1}`).toBe(day.handshakes - day.revoked - (at === 0 ? 1 : 0))
      expect(day.gaps, `day ${at + 1}`).toBe(0)
    }
  })

  test('all that was to happen has happened: cookies ran out, a consumer was paused, the org was away', () => {
    const { days } = month
    expect(days).toHaveLength(30)
    expect(sum(days, (day) => day.maintained)).toBe(4)
    expect(
      sum(days, (day) => day.handshakesTried - day.handshakes),
      'handshakes that failed',
    ).toBeGreaterThan(8)
    expect(sum(days, (day) => day.revoked)).toBe(30 * 7)
    expect(
      sum(days, (day) => day.rehandshakes - day.released - day.maintained),
      'sessions lost to the load balancer',
    ).toBeGreaterThan(30)
    expect(
      days.every((day) => day.pauses > 0),
      'a pause on every day',
    ).toBe(true)
  })

  test.skipIf(!garbageCollector())('the heap is flat from the second day to the thirtieth', () => {
    // Each request of some 50,000 could leave 60 bytes behind at most. The lowest of three days, since what was compiled comes and goes.
    const heap = month.days.map(({ heapBytes }) => heapBytes ?? Number.NaN)
    expect(Math.min(...heap.slice(-3)) - Math.min(...heap.slice(1, 4))).toBeLessThan(3_000_000)
  })

  test('after stop() there is no timer, request, listener or slot left', () => {
    expect(month.left).toEqual({ timers: 0, requests: 0, listeners: 0, slots: 0 })
  })
})

describe('the check of a sequence', () => {
  test.each([
    ['in order', [1, 2, 3], { handled: 3, repeated: 0, disordered: 0, missing: 0 }],
    ['one twice', [1, 2, 2, 3], { handled: 3, repeated: 1, disordered: 0, missing: 0 }],
    ['one lost', [1, 2, 4], { handled: 3, repeated: 0, disordered: 0, missing: 1 }],
    ['the first lost', [2, 3], { handled: 2, repeated: 0, disordered: 0, missing: 1 }],
    ['one late', [1, 3, 2, 4], { handled: 4, repeated: 0, disordered: 1, missing: 0 }],
    ['one late and twice', [1, 3, 2, 2], { handled: 3, repeated: 1, disordered: 1, missing: 0 }],
  ])('%s', (_name, numbers, counts) => {
    const check = sequenceCheck()
    for (const number of numbers) check.take(number)
    expect({ ...check, take: undefined }).toEqual({ ...counts, take: undefined })
  })
})
