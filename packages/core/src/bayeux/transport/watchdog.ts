import type { Platform } from '../../platform.ts'
import type { Deadline } from './transport.ts'

/** Timers stand still while a machine sleeps, so a deadline is looked at in slices, by the clock. */
const sliceMs = 15_000
/**
 * A slice that took this much longer than asked for was a sleep: the connection under it is not to be trusted. It is more
 * than the minute by which browsers hold back the timers of a page that nobody sees, and whose connections are sound.
 */
const sleptMs = 75_000

export interface Watchdog {
  /** Headers are in, or another piece of the body: the wait for the next piece begins. */
  progress(): void
  stop(): void
}

/** Calls `expire` once when a deadline has passed, with what was exceeded. */
export function watchdog(deadline: Deadline, platform: Pick<Platform, 'now' | 'delay'>, expire: (what: string) => void): Watchdog {
  let totalMs = deadline.totalMs
  let leftMs = deadline.headersMs
  let what = `no answer within ${deadline.headersMs} ms`
  let askedAt = 0
  let waitMs = 0
  let cancel = (): void => {}

  /** A clock that was set back has not stopped time: the slice itself has passed. */
  const passedMs = (): number => {
    const ms = platform.now() - askedAt
    return ms < 0 ? waitMs : ms
  }
  const look = (): void => {
    askedAt = platform.now()
    // Whole, and never nothing: a clock may not show the passing of a fraction.
    waitMs = Math.max(1, Math.ceil(Math.min(sliceMs, leftMs, totalMs)))
    cancel = platform.delay(() => {
      const ms = passedMs()
      totalMs -= ms
      leftMs -= ms
      if (ms > waitMs + sleptMs) expire(`the machine was asleep for ${ms} ms`)
      else if (totalMs <= 0) expire(`not complete within ${deadline.totalMs} ms`)
      else if (leftMs <= 0) expire(what)
      else look()
    }, waitMs)
  }
  look()
  return {
    progress() {
      leftMs = passedMs() + deadline.idleMs
      what = `the body stood still for ${deadline.idleMs} ms`
    },
    stop: () => cancel(),
  }
}
