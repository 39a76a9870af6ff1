import type { Platform } from '@sfstream/core'

/** Timers stand still while a machine sleeps, so the clock is looked at every so often. */
const sliceMs = 15_000

/**
 * Calls `expire` once `ms` have passed, asleep or awake; the returned function cancels it. A clock that is set back puts nothing off.
 * Core's watchdog keeps three limits and tells a sleep from silence; a reader has one to keep, at a third of the size.
 */
export function deadline(ms: number, platform: Pick<Platform, 'now' | 'delay'>, expire: () => void): () => void {
  let cancel = (): void => {}
  const look = (leftMs: number): void => {
    const askedAt = platform.now()
    const waitMs = Math.min(leftMs, sliceMs)
    cancel = platform.delay(() => {
      const stillMs = leftMs - Math.max(waitMs, platform.now() - askedAt)
      if (stillMs > 0) look(stillMs)
      else expire()
    }, waitMs)
  }
  look(ms)
  return () => cancel()
}
