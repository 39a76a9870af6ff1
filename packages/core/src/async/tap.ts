import { type Queue, queue } from './queue.ts'

/** One observer's view of a running stream: the newest values are kept, the oldest dropped and counted. Never slows anybody. */
export interface Tap<T> {
  readonly iterator: AsyncIterableIterator<T> & { readonly dropped: number }
  push(value: T): void
  finish(): void
}

export function tap<T>(maxKept: number, left: () => void): Tap<T> {
  const values: Queue<T> = queue<T>({ left })
  let dropped = 0
  const iterator = Object.defineProperty(values, 'dropped', { get: () => dropped }) as Queue<T> & { readonly dropped: number }
  return {
    iterator,
    push(value) {
      if (values.size >= maxKept) {
        dropped++
        // Buffered, so this takes the oldest at once; its promise is settled already.
        void values.next()
      }
      values.push(value)
    },
    finish: () => values.finish(),
  }
}
