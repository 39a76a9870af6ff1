import { deferred } from '../../async/deferred.ts'
import { untilAborted } from '../../async/until-aborted.ts'
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
  /** More than one, for a moment: a poll that was called off leaves after its successor has come. */
  readonly #waiting: (() => void)[] = []

  constructor(platform: Platform) {
    this.#platform = platform
  }

  get held(): boolean {
    return this.#holds > 0
  }

  hold(): () => void {
    this.#holds++
    let holding = true
    return () => {
      if (!holding) return
      holding = false
      if (--this.#holds === 0) for (const wake of [...this.#waiting]) wake()
    }
  }

  async untilFree(signal: AbortSignal): Promise<void> {
    let over = false
    let woken = deferred<void>()
    const wake = (): void => woken.resolve()
    this.#waiting.push(wake)
    const cancel = this.#platform.delay(() => {
      over = true
      wake()
    }, maxHoldMs)
    try {
      while (this.held && !over) {
        await untilAborted(woken.promise, signal)
        woken = deferred()
        // What an awaited reply brought is being taken: that may fill a buffer, and hold the poll once more.
        await Promise.resolve()
      }
    } finally {
      cancel()
      this.#waiting.splice(this.#waiting.indexOf(wake), 1)
    }
  }
}
