import type { Platform } from '@sfstream/core'
import type { VirtualClock } from '@sfstream/mock-org'

/**
 * A program on a machine of its own: it can be put to sleep, its clock can be set, and it can be killed at any touch of its
 * surroundings. What a killed program still does reaches nobody, and nothing reaches it.
 */
export interface VirtualProcess {
  readonly number: number
  readonly now: Platform['now']
  readonly delay: Platform['delay']
  readonly dead: boolean
  readonly asleep: boolean
  /** Aborts when it is killed, or its connections are: the other ends notice. */
  readonly sockets: AbortSignal
  readonly timers: number
  /** Counts a touch of the surroundings; false when it is dead, or dies of this one. */
  touch(): boolean
  /** Lets something reach it: at once, after it has woken, or never. */
  arrive(callback: () => void): void
  /** Waits as the program would; for ever, when killed. */
  pause(ms: number): Promise<void>
  sleep(sockets: 'dead' | 'kept'): void
  wake(timers: 'late' | 'stopped'): void
  /** From now on its clock shows this much more. */
  jump(byMs: number): void
  kill(): void
  /** Infinity: not any more. */
  killAfter(touches: number): void
}

interface Timer {
  callback: () => void
  dueAt: number
  cancel: () => void
}

export function virtualProcess(number: number, clock: VirtualClock, killed: () => void): VirtualProcess {
  const timers = new Set<Timer>()
  let sockets = new AbortController()
  let arrivals: (() => void)[] = []
  let dead = false
  let asleepSince: number | undefined
  let skewMs = 0
  let touchesLeft = Number.POSITIVE_INFINITY

  const arm = (timer: Timer): void => {
    timer.cancel = clock.delay(() => {
      timers.delete(timer)
      if (self.touch()) timer.callback()
    }, timer.dueAt - clock.now())
  }

  const self: VirtualProcess = {
    number,
    now: () => clock.now() + skewMs,
    delay(callback, delayMs) {
      const timer: Timer = { callback, dueAt: clock.now() + Math.max(0, delayMs), cancel: () => {} }
      if (dead) return () => {}
      timers.add(timer)
      if (asleepSince === undefined) arm(timer)
      return () => {
        timer.cancel()
        timers.delete(timer)
      }
    },
    get dead() {
      return dead
    },
    get asleep() {
      return asleepSince !== undefined
    },
    get sockets() {
      return sockets.signal
    },
    get timers() {
      return timers.size
    },
    touch() {
      if (dead) return false
      if (--touchesLeft < 0) self.kill()
      return !dead
    },
    arrive(callback) {
      if (dead) return
      if (asleepSince !== undefined) arrivals.push(callback)
      else if (self.touch()) callback()
    },
    pause: (ms) => new Promise((resolve) => void self.delay(resolve, ms)),
    sleep(kept) {
      if (dead || asleepSince !== undefined) return
      asleepSince = clock.now()
      for (const timer of timers) timer.cancel()
      if (kept === 'kept') return
      sockets.abort(new TypeError('fetch failed'))
      sockets = new AbortController()
    },
    wake(kind) {
      if (dead || asleepSince === undefined) return
      const sleptMs = clock.now() - asleepSince
      asleepSince = undefined
      for (const timer of timers) {
        // Some clocks stop while the machine sleeps; timers of others are late.
        if (kind === 'stopped') timer.dueAt += sleptMs
        arm(timer)
      }
      const missed = arrivals
      arrivals = []
      for (const callback of missed) if (self.touch()) callback()
    },
    jump(byMs) {
      skewMs += byMs
    },
    kill() {
      if (dead) return
      dead = true
      for (const timer of timers) timer.cancel()
      timers.clear()
      arrivals = []
      sockets.abort(new TypeError('fetch failed'))
      killed()
    },
    killAfter(touches) {
      touchesLeft = touches
    },
  }
  return self
}
