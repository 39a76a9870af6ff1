import { virtualClock } from '@sfstream/mock-org'
import { describe, expect, test } from 'vitest'

import { linkedController, onAbort } from '../../src/async/signals.ts'
import { singleFlight } from '../../src/async/single-flight.ts'
import { sleep } from '../../src/async/sleep.ts'
import { untilAborted } from '../../src/async/until-aborted.ts'
import { deadlineReached, withDeadline } from '../../src/async/with-deadline.ts'
import { countedSignal, stateOf } from '../support/delivery-bench.ts'

const reason = new Error('the reason')
const never = new Promise<never>(() => {})

describe('waits settle at once with the reason of the signal, and leave neither listener nor timer', () => {
  const waits: Record<string, (signal: AbortSignal, clock: ReturnType<typeof virtualClock>) => Promise<unknown>> = {
    sleep: (signal, clock) => sleep(1_000, signal, clock),
    untilAborted: (signal) => untilAborted(never, signal),
    withDeadline: (signal, clock) => withDeadline(1_000, { signal, platform: clock }, () => never),
    singleFlight: (signal) => singleFlight(() => never)(signal),
  }
  test.each(Object.keys(waits))('%s', async (name) => {
    const clock = virtualClock()
    const wait = waits[name] as (typeof waits)[string]
    const counted = countedSignal()
    const waiting = stateOf(clock, wait(counted.signal, clock))
    counted.controller.abort(reason)
    expect(await waiting).toEqual({ rejected: reason })
    expect({ listeners: counted.listeners, timers: clock.pending }).toEqual({ listeners: 0, timers: 0 })
    expect(await stateOf(clock, wait(counted.signal, clock))).toEqual({ rejected: reason })
    expect(clock.pending).toBe(0)
  })

  test('so do those that end by themselves', async () => {
    const clock = virtualClock()
    const counted = countedSignal()
    const slept = sleep(1_000, counted.signal, clock)
    const limits = { signal: counted.signal, platform: clock }
    let told: AbortSignal | undefined
    const late = withDeadline(1_000, limits, (signal) => {
      told = signal
      return never
    })
    late.catch(() => {})
    const inTime = withDeadline(1_000, limits, () => Promise.resolve(1))
    const broken = withDeadline(1_000, limits, () => {
      throw reason
    })
    broken.catch(() => {})
    const failed = untilAborted(Promise.reject(reason), counted.signal)
    failed.catch(() => {})
    await clock.advance(1_000)
    await slept
    await expect(late).rejects.toBe(deadlineReached)
    expect(told?.reason).toBe(deadlineReached)
    await expect(broken).rejects.toBe(reason)
    await expect(failed).rejects.toBe(reason)
    expect(await inTime).toBe(1)
    expect({ listeners: counted.listeners, timers: clock.pending }).toEqual({ listeners: 0, timers: 0 })
  })
})

describe('linkedController', () => {
  test('follows its parent, with its reason, until it is released', () => {
    const [one, two] = [countedSignal(), countedSignal()]
    const { controller } = linkedController(one.signal)
    one.controller.abort(reason)
    expect(controller.signal.reason).toBe(reason)
    expect(one.listeners).toBe(0)
    const released = linkedController(two.signal)
    released.release()
    expect(two.listeners).toBe(0)
    two.controller.abort(reason)
    expect(released.controller.signal.aborted).toBe(false)
  })

  test('a parent that was aborted before aborts it at once, and there may be none', () => {
    expect(linkedController(AbortSignal.abort(reason)).controller.signal.reason).toBe(reason)
    const alone = linkedController(undefined)
    alone.release()
    expect(alone.controller.signal.aborted).toBe(false)
  })

  test('onAbort calls at once where it is too late to listen', () => {
    let calls = 0
    onAbort(AbortSignal.abort(), () => calls++)()
    expect(calls).toBe(1)
  })
})

describe('singleFlight', () => {
  test('one flight for all; who leaves leaves alone, the last takes it down, and the next begins anew', async () => {
    const clock = virtualClock()
    const flights: AbortSignal[] = []
    const fly = singleFlight((signal) => {
      flights.push(signal)
      return never
    })
    const [one, two] = [new AbortController(), new AbortController()]
    const [first, second] = [fly(one.signal), fly(two.signal)]
    second.catch(() => {})
    one.abort(reason)
    await expect(first).rejects.toBe(reason)
    expect([flights.length, flights[0]?.aborted]).toEqual([1, false])
    two.abort(reason)
    expect(await stateOf(clock, second)).toEqual({ rejected: reason })
    expect(flights[0]?.aborted).toBe(true)
    fly(new AbortController().signal).catch(() => {})
    await clock.settle()
    expect(flights).toHaveLength(2)
  })
})
