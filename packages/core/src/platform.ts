/**
 * Everything core takes from its surroundings: network, time, chance. Nothing in core reaches for the globals, so a
 * whole client runs under virtual time, and two clients with different platforms live side by side.
 */
export interface Platform {
  fetch: (input: string | URL, init?: RequestInit) => Promise<Response>
  /** Milliseconds since 1970. Jumps (sleep and wake) are expected. */
  now(): number
  /** Calls `callback` once after `delayMs`; the returned function cancels it. */
  delay(callback: () => void, delayMs: number): () => void
  /** A number in [0, 1). */
  random(): number
}

const web: Platform = {
  // Wrapped: browsers refuse a `fetch` called with another `this`, and tests may replace the global later.
  fetch: (input, init) => fetch(input, init),
  now: () => Date.now(),
  delay: (callback, delayMs) => {
    // Beyond 2^31-1 ms every runtime fires at once.
    const timer = setTimeout(callback, Math.min(delayMs, 2_147_483_647))
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}

/** The platform of the running process: global `fetch`, `Date`, `setTimeout`, `Math.random`. */
export function webPlatform(overrides?: Partial<Platform>): Platform {
  return overrides ? { ...web, ...overrides } : web
}
