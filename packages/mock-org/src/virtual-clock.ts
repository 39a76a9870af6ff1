import type { Clock } from './clock.ts'
import { macrotask } from './macrotask.ts'
import { seededRandom } from './random.ts'

export interface VirtualClockOptions {
  /** The first `now()`. Default: 2026-01-05T12:00:00Z. */
  startMs?: number
  /** Seeds `random()`. Default 1. */
  seed?: number
}

/** Time that passes only when asked to. Hours of polling run in milliseconds, and the same way each time. */
export interface VirtualClock extends Clock {
  /** Timers waiting now. */
  readonly pending: number
  /**
   * Lets `ms` pass: fires the timers due on the way, in order of time, and lets promise and stream work settle after each.
   * @throws Error when another `advance` or `runUntil` is still running, or what a timer's callback threw.
   */
  advance(ms: number): Promise<void>
  /**
   * Goes from timer to timer until `condition` holds. `limitMs` is virtual; default one hour.
   * @throws Error naming the time and the waiting timers, when the limit is passed or nothing is left to wait for.
   */
  runUntil(condition: () => boolean, limitMs?: number): Promise<void>
  /** Lets promise and stream work settle at the present instant. */
  settle(): Promise<void>
  /** Time stands still until `work` has settled: for what takes real time, such as cryptography or files. Returns `work`. */
  track<T>(work: Promise<T>): Promise<T>
}

interface Timer {
  at: number
  callback: () => void
}

/** Consecutive turns of the event loop in which nobody used the clock: longer than the promise chains of a stream or a fetch. */
const quietTurns = 6
/** How long, in real time, unseen work (a key being generated) may take before a wait without timers is called hopeless. */
const graceMs = 2_000

export function virtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const random = seededRandom(options.seed ?? 1)
  // In order of time, then of arming.
  const timers: Timer[] = []
  const tracked = new Set<Promise<unknown>>()
  let now = options.startMs ?? Date.UTC(2026, 0, 5, 12)
  let activity = 0
  let running = false

  async function settle(): Promise<void> {
    let quiet = 0
    while (quiet < quietTurns) {
      const before = activity
      if (tracked.size > 0) await Promise.allSettled(tracked)
      await macrotask()
      quiet = activity === before && tracked.size === 0 ? quiet + 1 : 0
    }
  }

  function fireNext(): void {
    const timer = timers.shift()!
    // A timer armed for the past, or passed over by an advance, fires late rather than turning time back.
    now = Math.max(now, timer.at)
    activity += 1
    timer.callback()
  }

  async function exclusively(work: () => Promise<void>): Promise<void> {
    if (running) throw new Error('The clock is already being advanced: await the earlier advance() or runUntil() first.')
    running = true
    try {
      await settle()
      await work()
    } finally {
      running = false
    }
  }

  function waiting(): string {
    const next = timers.slice(0, 5).map((timer) => `+${timer.at - now} ms`)
    return `now ${new Date(now).toISOString()} (${now}), ${timers.length} timers pending${next.length > 0 ? `, next at ${next.join(', ')}` : ''}`
  }

  async function noTimerCame(condition: () => boolean): Promise<boolean> {
    const giveUpAt = Date.now() + graceMs
    while (Date.now() < giveUpAt) {
      await new Promise<void>((resolve) => setTimeout(resolve, 2))
      await settle()
      if (condition() || timers.length > 0) return false
    }
    return true
  }

  return {
    now: () => now,
    random,
    get pending() {
      return timers.length
    },
    settle,
    delay(callback, delayMs) {
      activity += 1
      const timer: Timer = { at: now + Math.max(0, delayMs || 0), callback }
      let low = 0
      let high = timers.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (timers[middle]!.at <= timer.at) low = middle + 1
        else high = middle
      }
      timers.splice(low, 0, timer)
      return () => {
        const index = timers.indexOf(timer)
        if (index === -1) return
        activity += 1
        timers.splice(index, 1)
      }
    },
    track(work) {
      const done = (): void => void tracked.delete(settled)
      const settled: Promise<void> = work.then(done, done)
      tracked.add(settled)
      return work
    },
    advance: (ms) =>
      exclusively(async () => {
        const target = now + ms
        while (timers.length > 0 && timers[0]!.at <= target) {
          fireNext()
          await settle()
        }
        now = Math.max(now, target)
        await settle()
      }),
    runUntil: (condition, limitMs = 3_600_000) =>
      exclusively(async () => {
        const deadline = now + limitMs
        while (!condition()) {
          if (timers.length === 0 && (await noTimerCame(condition))) throw new Error(`runUntil: nothing is left to wait for; ${waiting()}`)
          if (condition()) return
          if (timers.length > 0 && timers[0]!.at > deadline)
            throw new Error(`runUntil: not within ${limitMs} ms of virtual time; ${waiting()}`)
          if (timers.length > 0) fireNext()
          await settle()
        }
      }),
  }
}
