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
  return new SlicedWatchdog(deadline, platform, expire)
}

class SlicedWatchdog implements Watchdog {
  readonly #deadline: Deadline
  readonly #platform: Pick<Platform, 'now' | 'delay'>
  readonly #expire: (what: string) => void
  #isMoving = false
  #totalMs: number
  #leftMs: number
  #askedAt = 0
  #waitMs = 0
  #cancel: (() => void) | undefined

  constructor(deadline: Deadline, platform: Pick<Platform, 'now' | 'delay'>, expire: (what: string) => void) {
    this.#deadline = deadline
    this.#platform = platform
    this.#expire = expire
    this.#totalMs = deadline.totalMs
    this.#leftMs = deadline.headersMs
    this.#wait()
  }

  progress(): void {
    this.#isMoving = true
    this.#leftMs = this.#passedMs() + this.#deadline.idleMs
  }

  stop(): void {
    this.#cancel?.()
  }

  #wait(): void {
    this.#askedAt = this.#platform.now()
    // Whole, and never nothing: a clock may not show the passing of a fraction.
    this.#waitMs = Math.max(1, Math.ceil(Math.min(sliceMs, this.#leftMs, this.#totalMs)))
    this.#cancel = this.#platform.delay(() => this.#look(), this.#waitMs)
  }

  #look(): void {
    const { headersMs, idleMs, totalMs } = this.#deadline
    const ms = this.#passedMs()
    this.#totalMs -= ms
    this.#leftMs -= ms
    if (ms > this.#waitMs + sleptMs) this.#expire(`the machine was asleep for ${ms} ms`)
    else if (this.#totalMs <= 0) this.#expire(`not complete within ${totalMs} ms`)
    else if (this.#leftMs <= 0) this.#expire(this.#isMoving ? `the body stood still for ${idleMs} ms` : `no answer within ${headersMs} ms`)
    else this.#wait()
  }

  /** A clock that was set back has not stopped time: the slice itself has passed. */
  #passedMs(): number {
    const ms = this.#platform.now() - this.#askedAt
    return ms < 0 ? this.#waitMs : ms
  }
}
