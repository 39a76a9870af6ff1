import { type Deferred, deferred } from '../../async/deferred.ts'
import { deadlineReached, withDeadline } from '../../async/with-deadline.ts'
import type { Platform } from '../../platform.ts'
import { maxHoldMs } from './deadlines.ts'

/** Keeps the next poll back while buffers are full, for as long as the session can bear. [PROTOCOL B1] */
export interface PollHold {
  readonly held: boolean
  /** The returned function lets go. */
  hold(): () => void
  /** Resolves when nobody holds any more, or after the longest hold. @throws the signal's reason */
  untilFree(signal: AbortSignal): Promise<void>
}

export function pollHold(platform: Platform): PollHold {
  return new CountedHold(platform)
}

class CountedHold implements PollHold {
  readonly #platform: Platform
  #holds = 0
  /** Settled with the last hold. */
  #free: Deferred<void> | undefined

  constructor(platform: Platform) {
    this.#platform = platform
  }

  get held(): boolean {
    return this.#holds > 0
  }

  hold(): () => void {
    this.#holds++
    this.#free ??= deferred()
    let holding = true
    return () => {
      if (holding && --this.#holds === 0) {
        this.#free?.resolve()
        this.#free = undefined
      }
      holding = false
    }
  }

  async untilFree(signal: AbortSignal): Promise<void> {
    try {
      await withDeadline(maxHoldMs, { signal, platform: this.#platform }, async () => {
        while (this.#free) {
          await this.#free.promise
          // What an awaited reply brought is being taken: that may fill a buffer, and hold the poll once more.
          await null
        }
      })
    } catch (error) {
      if (error !== deadlineReached) throw error
    }
  }
}
