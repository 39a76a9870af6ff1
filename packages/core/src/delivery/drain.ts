import { dateMs } from '../events/event-fields.ts'
import type { DrainBounds, SubscribeOptions } from '../options.ts'
import type { Platform } from '../platform.ts'

/** Why a drain ended. */
export type DrainEnd = 'idle' | 'maxMs' | 'maxEvents' | 'reached-start'

export interface Drain {
  /** An event was handed out, with that date, by the org's clock, which now says `orgNow`. */
  delivered(count: number, createdDate: string | undefined, orgNow: number): void
  /** An event has come, or the channel was accepted again: what is to be replayed may only begin to come. */
  stirred(): void
  close(): void
}

/**
 * Watches for the end of the backlog. An empty reply alone proves nothing, because replay is asynchronous: quiet counts
 * only while a poll is held, by our own clock. [PROTOCOL D6]
 */
export function drain(
  until: NonNullable<SubscribeOptions['until']>,
  platform: Platform,
  /** Accepted, poll held, nothing buffered, nothing in hand. */
  quiet: () => boolean,
  end: (why: DrainEnd) => void,
): Drain {
  const { idleMs = 10_000, maxMs, maxEvents }: DrainBounds = until === 'caught-up' ? {} : until
  const startedAt = platform.now()
  /** Counted look by look: a machine that slept has not been listening, whatever its clock says. */
  let quietMs: number | undefined
  let lookedAt = startedAt
  let nextMs = 0
  const cancelMax = maxMs === undefined ? undefined : platform.delay(() => end('maxMs'), maxMs)

  const look = (): void => {
    const now = platform.now()
    const passedMs = Math.max(0, Math.min(now - lookedAt, nextMs))
    quietMs = !quiet() ? undefined : quietMs === undefined ? 0 : quietMs + passedMs
    if (quietMs !== undefined && quietMs >= idleMs) return end('idle')
    lookedAt = now
    nextMs = Math.max(1, Math.min(idleMs - (quietMs ?? 0), idleMs / 4, 1_000))
    cancelIdle = platform.delay(look, nextMs)
  }
  // Not at once: what ends while it is made would leave behind what is made after it.
  let cancelIdle = platform.delay(look, nextMs)

  return {
    stirred() {
      quietMs = undefined
    },
    delivered(count, createdDate, orgNow) {
      const datedMs = dateMs(createdDate)
      if (maxEvents !== undefined && count >= maxEvents) end('maxEvents')
      else if (datedMs !== undefined && datedMs > startedAt + orgNow - platform.now()) end('reached-start')
    },
    close() {
      cancelIdle()
      cancelMax?.()
    },
  }
}
