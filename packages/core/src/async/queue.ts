/**
 * A queue for one consumer, as a hand-written async iterator: a generator could not be left while it is parked.
 * Parked `next()` calls are answered in order, and all of them settle when the queue ends.
 */
export interface Queue<T> extends AsyncIterableIterator<T> {
  readonly size: number
  /** Somebody waits in `next()`. */
  readonly parked: boolean
  /** Ended, with nothing left to hand out; the end itself may still have to be told. */
  readonly over: boolean
  push(value: T): void
  /** The first value buffered, without a promise; undefined where there is none. */
  take(): T | undefined
  /** Tells the end without a promise, once nothing is buffered: `done`, or the error, once. */
  takeEnd(): Ending | undefined
  /** Returns values to the front, in order: their consumer has left without them. */
  putBack(values: readonly T[]): void
  /** Delivers what is buffered, then ends. */
  finish(): void
  /** Delivers what is buffered, then rejects once with `error`. */
  fail(error: unknown): void
  /** Ends now; what is buffered is dropped. */
  close(): void
  /** Rejects now with `reason`; what is buffered is dropped. */
  abort(reason: unknown): void
  return(): Promise<IteratorResult<T>>
}

/** Called in the turn in which it happens, so that nobody needs a promise to learn of it. */
export interface QueueHooks<T> {
  /** A value is handed to the consumer. */
  taken?(value: T): void
  /** A consumer begins to wait. */
  parked?(): void
  /** The consumer has left, or has been told of the end; called once. */
  ended?(): void
}

export type Ending = { tag: 'done' } | { tag: 'error'; error: unknown }
type Settle<T> = { resolve(result: IteratorResult<T>): void; reject(error: unknown): void }

const done: Ending = { tag: 'done' }

export function queue<T>(hooks: QueueHooks<T> = {}): Queue<T> {
  let buffer: T[] = []
  let head = 0
  let ending: Ending | undefined
  let told = false
  const waiting: Settle<T>[] = []

  const drop = (): void => {
    buffer = []
    head = 0
  }
  const tellEnd = (): void => {
    if (told) return
    told = true
    hooks.ended?.()
  }
  /** An error is told once; after it, and to everybody else, the end is an ordinary one. */
  const settle = ({ resolve, reject }: Settle<T>): void => {
    if (ending?.tag !== 'error') return resolve({ value: undefined, done: true })
    const { error } = ending
    ending = done
    reject(error)
  }
  const end = (how: Ending): void => {
    ending = how
    if (waiting.length === 0) return
    for (const caller of waiting.splice(0)) settle(caller)
    tellEnd()
  }
  const take = (): T | undefined => {
    if (head === buffer.length) return undefined
    const value = buffer[head] as T
    buffer[head++] = undefined as T
    // Taken values are let go of in bulk: shifting each would make a long queue quadratic.
    if (head === buffer.length) {
      buffer.length = 0
      head = 0
    } else if (head > 1024 && head * 2 > buffer.length) {
      buffer = buffer.slice(head)
      head = 0
    }
    hooks.taken?.(value)
    return value
  }

  return {
    get size() {
      return buffer.length - head
    },
    get parked() {
      return waiting.length > 0
    },
    get over() {
      return ending !== undefined && head === buffer.length
    },
    push(value) {
      if (ending) return
      const caller = waiting.shift()
      if (!caller) {
        buffer.push(value)
        return
      }
      hooks.taken?.(value)
      caller.resolve({ value, done: false })
    },
    take,
    takeEnd() {
      if (!ending || head < buffer.length) return undefined
      const told = ending
      ending = done
      tellEnd()
      return told
    },
    putBack(values) {
      buffer = [...values, ...buffer.slice(head)]
      head = 0
      while (waiting.length > 0 && buffer.length > 0) (waiting.shift() as Settle<T>).resolve({ value: take() as T, done: false })
    },
    finish() {
      if (!ending) end(done)
    },
    fail(error) {
      if (!ending) end({ tag: 'error', error })
    },
    close() {
      drop()
      if (ending?.tag === 'error') ending = done
      if (!ending) end(done)
    },
    abort(reason) {
      if (told || (ending?.tag === 'done' && head === buffer.length)) return
      drop()
      end({ tag: 'error', error: reason })
    },
    next() {
      if (head < buffer.length) return Promise.resolve({ value: take() as T, done: false })
      return new Promise((resolve, reject) => {
        if (ending) {
          settle({ resolve, reject })
          tellEnd()
        } else {
          waiting.push({ resolve, reject })
          hooks.parked?.()
        }
      })
    },
    return() {
      this.close()
      tellEnd()
      return Promise.resolve({ value: undefined, done: true })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
