import { linkedController } from '../../async/signals.ts'
import { sleep } from '../../async/sleep.ts'
import type { Platform } from '../../platform.ts'
import { maxHoldMs } from './deadlines.ts'
import { interrupted } from './session-errors.ts'

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
      const { controller, release } = linkedController(signal)
      wake = () => controller.abort(interrupted)
      try {
        await sleep(maxHoldMs, controller.signal, platform)
      } catch {
        if (signal.aborted) throw signal.reason
      } finally {
        wake = () => {}
        release()
      }
    },
  }
}
