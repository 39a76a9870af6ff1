import type { Platform } from '@sfstream/core'

/** The machine's clock, which a test can push on: deadlines of minutes over real sockets, without waiting for them. */
export interface JumpingClock extends Pick<Platform, 'now' | 'delay'> {
  /** Timers waiting now. */
  readonly pending: number
  /** Lets `ms` pass in steps small enough not to look like a machine that slept. */
  pass(ms: number): Promise<void>
}

interface Timer {
  dueMs: number
  callback(): void
  handle: NodeJS.Timeout
}

const stepMs = 5_000

export function jumpingClock(): JumpingClock {
  const timers = new Set<Timer>()
  let aheadMs = 0
  const now = (): number => Date.now() + aheadMs
  const arm = (timer: Timer): void => {
    clearTimeout(timer.handle)
    timer.handle = setTimeout(
      () => {
        timers.delete(timer)
        timer.callback()
      },
      Math.max(0, timer.dueMs - now()),
    )
  }
  return {
    now,
    delay(callback, delayMs) {
      const timer: Timer = { dueMs: now() + delayMs, callback, handle: setTimeout(() => {}, 0) }
      timers.add(timer)
      arm(timer)
      return () => {
        clearTimeout(timer.handle)
        timers.delete(timer)
      }
    },
    get pending() {
      return timers.size
    },
    async pass(ms) {
      for (let left = ms; left > 0; left -= stepMs) {
        aheadMs += Math.min(stepMs, left)
        for (const timer of [...timers]) arm(timer)
        // Timers due now fire, and those they arm are seen by the next step.
        await new Promise<void>((resolve) => setTimeout(resolve, 2))
      }
    },
  }
}
