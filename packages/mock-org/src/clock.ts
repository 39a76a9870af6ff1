/** Time as the org sees it. Fits the `now`, `delay` and `random` of a client's platform, so both can share one clock. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls `callback` once after `delayMs`; the returned function cancels it. */
  delay(callback: () => void, delayMs: number): () => void
  /** A number in [0, 1). */
  random(): number
}

/** The time of the machine. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    delay(callback, delayMs) {
      // Beyond 2^31-1 ms every runtime fires at once.
      const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), 2_147_483_647))
      return () => clearTimeout(timer)
    },
    random: () => Math.random(),
  }
}
