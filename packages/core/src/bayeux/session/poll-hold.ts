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
  let holds = 0
  let wake = (): void => {}
  return {
    get held() {
      return holds > 0
    },
    hold() {
      holds++
      let holding = true
      return () => {
        if (!holding) return
        holding = false
        if (--holds === 0) wake()
      }
    },
    async untilFree(signal) {
      let over = false
      let woken = deferred<void>()
      wake = () => woken.resolve()
      const cancel = platform.delay(() => {
        over = true
        wake()
      }, maxHoldMs)
      try {
        while (holds > 0 && !over) {
          await untilAborted(woken.promise, signal)
          woken = deferred()
          // What an awaited reply brought is being taken: that may fill a buffer, and hold the poll once more.
          await Promise.resolve()
        }
      } finally {
        cancel()
        wake = () => {}
      }
    },
  }
}
