import { queue } from './queue.ts'

/** What a tap's reader holds. */
export interface TapIterator<T> extends AsyncIterableIterator<T> {
  /** How many values were dropped because the reader lagged behind. */
  readonly dropped: number
}

/** One observer's view of a running stream: the newest values are kept, the oldest dropped and counted. Never slows anybody. */
export interface Tap<T> {
  readonly iterator: TapIterator<T>
  push(value: T): void
  finish(): void
}

export function tap<T>(maxKept: number, ended: () => void): Tap<T> {
  const values = queue<T>({ ended })
  let dropped = 0
  return {
    iterator: {
      get dropped() {
        return dropped
      },
      next: () => values.next(),
      return: () => values.return(),
      [Symbol.asyncIterator]() {
        return this
      },
    },
    push(value) {
      if (values.size >= maxKept) {
        dropped++
        values.take()
      }
      values.push(value)
    },
    finish: () => values.finish(),
  }
}
