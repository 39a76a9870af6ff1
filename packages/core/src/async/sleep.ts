import type { Platform } from '../platform.ts'
import { onAbort } from './signals.ts'

/** Resolves after `delayMs`; rejects with the signal's own reason as soon as it aborts. */
export function sleep(delayMs: number, signal: AbortSignal, platform: Pick<Platform, 'delay'>): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const forget = onAbort(signal, () => {
      cancel()
      reject(signal.reason)
    })
    const cancel = platform.delay(() => {
      forget()
      resolve()
    }, delayMs)
  })
}
