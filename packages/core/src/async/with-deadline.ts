import type { Platform } from '../platform.ts'

/** What `withDeadline` rejects with when time is up. */
export const deadlineReached: unique symbol = Symbol('deadline reached')

/**
 * Runs `work` with a signal that aborts after `ms` or with the caller's own, and settles at that moment even where the
 * runtime's fetch does not listen. Leaves no timer and no listener.
 */
export function withDeadline<T>(
  ms: number,
  { signal, platform }: { signal: AbortSignal; platform: Pick<Platform, 'delay'> },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const controller = new AbortController()
    const give = (reason: unknown): void => {
      release()
      reject(reason)
      controller.abort(reason)
    }
    const leave = (): void => give(signal.reason)
    const cancel = platform.delay(() => give(deadlineReached), ms)
    const release = (): void => {
      cancel()
      signal.removeEventListener('abort', leave)
    }
    signal.addEventListener('abort', leave, { once: true })
    work(controller.signal).then(
      (value) => {
        release()
        resolve(value)
      },
      (error: unknown) => {
        release()
        reject(error)
      },
    )
  })
}
