import { expect, test } from 'vitest'
import { deadline } from '../src/client/deadline.ts'

/** A clock that only goes by hand, and timers that only fire by hand. */
function machine() {
  const timers: { callback: () => void; delayMs: number }[] = []
  const it = {
    at: 1_000_000,
    now: () => it.at,
    delay(callback: () => void, delayMs: number) {
      const timer = { callback, delayMs }
      timers.push(timer)
      return () => void timers.splice(timers.indexOf(timer) >>> 0, 1)
    },
    timers,
    /** Lets the next timer fire, with the clock moved by as much as is said. */
    fire(passedMs = timers[0]?.delayMs ?? 0) {
      it.at += passedMs
      timers.shift()?.callback()
    },
  }
  return it
}

test('expires once, when its time has passed, and leaves no timer', () => {
  const it = machine()
  let expired = 0
  deadline(35_000, it, () => expired++)
  expect(it.timers[0]?.delayMs).toBe(15_000)
  it.fire()
  it.fire()
  expect(expired).toBe(0)
  expect(it.timers[0]?.delayMs).toBe(5_000)
  it.fire()
  expect(expired).toBe(1)
  expect(it.timers).toHaveLength(0)
})

test('a machine that slept finds out as it wakes, not after what was left', () => {
  const it = machine()
  let expired = 0
  deadline(125_000, it, () => expired++)
  it.fire(3_600_000)
  expect(expired).toBe(1)
})

test('a clock that is set back puts nothing off', () => {
  const it = machine()
  let expired = 0
  deadline(30_000, it, () => expired++)
  it.fire(-3_600_000)
  expect(it.timers[0]?.delayMs).toBe(15_000)
  it.fire()
  expect(expired).toBe(1)
})

test('cancelled between two looks, it never expires', () => {
  const it = machine()
  const cancel = deadline(30_000, it, () => expect.unreachable())
  it.fire()
  cancel()
  expect(it.timers).toHaveLength(0)
})
