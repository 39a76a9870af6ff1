import type { Platform } from '../../platform.ts'
import type { Deadline } from './transport.ts'

/** Timers stand still while a machine sleeps, so a deadline is looked at in slices, by the clock. */
const sliceMs = 15_000
/** A slice that took this much longer than asked for was a sleep: the connection under it is not to be trusted. */
const sleptMs = 30_000

export interface Watchdog {
  /** Headers are in, or another piece of the body: the wait for the next piece begins. */
  progress(): void
  stop(): void
}

/** Calls `expire` once when a deadline has passed, with what was exceeded. */
export function watchdog(deadline: Deadline, platform: Pick<Platform, 'now' | 'delay'>, expire: (what: string) => void): Watchdog {
  const end = platform.now() + deadline.totalMs
  let next = Math.min(end, platform.now() + deadline.headersMs)
  let what = `no answer within ${deadline.headersMs} ms`
  let cancel = (): void => {}

  const look = (): void => {
    const askedAt = platform.now()
    const waitMs = Math.min(sliceMs, Math.max(0, next - askedAt))
    cancel = platform.delay(() => {
      const now = platform.now()
      if (now - askedAt > waitMs + sleptMs) expire(`the machine was asleep for ${now - askedAt} ms`)
      else if (now >= next) expire(next === end ? `not complete within ${deadline.totalMs} ms` : what)
      else look()
    }, waitMs)
  }
  look()
  return {
    progress() {
      next = Math.min(end, platform.now() + deadline.idleMs)
      what = `the body stood still for ${deadline.idleMs} ms`
    },
    stop: () => cancel(),
  }
}
