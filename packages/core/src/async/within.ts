import type { Platform } from '../platform.ts'

/** `work`, or the signal's reason as soon as it aborts, or what `late` makes once `limitMs` have passed. Leaves no timer behind. */
export function within<T>(
  work: PromiseLike<T>,
  limitMs: number,
  late: () => unknown,
  signal: AbortSignal,
  platform: Pick<Platform, 'delay'>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      cancel()
      reject(signal.reason)
    }
    const cancel = platform.delay(() => {
      signal.removeEventListener('abort', leave)
      reject(late())
    }, limitMs)
    const settled = (): void => {
      cancel()
      signal.removeEventListener('abort', leave)
    }
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    work.then(
      (value) => {
        settled()
        resolve(value)
      },
      (error: unknown) => {
        settled()
        reject(error)
      },
    )
  })
}
