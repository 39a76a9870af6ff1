import type { RetryPolicy } from '../../options.ts'

/** Attempts at one kind of request since it last went well. */
export interface Attempts {
  count: number
  /** When the first of them failed. */
  since: number
}

export const noAttempts: Attempts = { count: 0, since: 0 }

/** Counts one more failure. */
export function failedOnce(attempts: Attempts, now: number): Attempts {
  return { count: attempts.count + 1, since: attempts.count === 0 ? now : attempts.since }
}

/** The delay after the n-th failure in a row; undefined when the policy gives up. [PROTOCOL R1] */
export function backoffMs(policy: RetryPolicy, attempts: Attempts, now: number, random: number): number | undefined {
  if (attempts.count >= policy.maxAttempts || now - attempts.since >= policy.maxElapsedMs) return undefined
  const ceiling = Math.min(policy.capMs, policy.baseMs * policy.factor ** (attempts.count - 1))
  return policy.jitter === 'full' ? ceiling * random : ceiling
}

/** Org limits clear in minutes or hours; the wait keeps a floor, so that many clients neither storm nor move in step. [PROTOCOL R4] */
export function limitDelayMs(attempts: Attempts, random: number): number {
  return Math.min(3_600_000, 60_000 * 2 ** (attempts.count - 1)) * (0.5 + random / 2)
}
