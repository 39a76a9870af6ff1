import type { Platform } from '../platform.ts'

/** Resolves after `delayMs`; rejects with the signal's own reason as soon as it aborts. */
export function sleep(delayMs: number, signal: AbortSignal, platform: Pick<Platform, 'delay'>): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const cancel = platform.delay(() => {
      signal.removeEventListener('abort', leave)
      resolve()
    }, delayMs)
    const leave = (): void => {
      cancel()
      reject(signal.reason)
    }
    signal.addEventListener('abort', leave, { once: true })
  })
}
