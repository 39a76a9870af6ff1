import { onAbort } from './signals.ts'

/** `work`, or the signal's own reason as soon as it aborts; for work that may ignore its signal. */
export function untilAborted<T>(work: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const settled = onAbort(signal, () => reject(signal.reason))
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
