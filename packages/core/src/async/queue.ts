/**
 * A queue for one consumer, as a hand-written async iterator: a generator could not be left while it is parked.
 * Parked `next()` calls are answered in order, and all of them settle when the queue ends.
 */
export interface Queue<T> extends AsyncIterableIterator<T> {
  readonly size: number
  /** Somebody waits in `next()`. */
  readonly parked: boolean
  push(value: T): void
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

export interface QueueHooks<T> {
  /** A value is handed to the consumer; called in the same turn. */
  taken?(value: T): void
  /** The consumer has left: `return()` was called. */
  left?(): void
}

type Ending = { tag: 'open' } | { tag: 'done' } | { tag: 'error'; error: unknown }

export function queue<T>(hooks: QueueHooks<T> = {}): Queue<T> {
  let buffer: T[] = []
  let head = 0
  let ending: Ending = { tag: 'open' }
  const waiting: { resolve(result: IteratorResult<T>): void; reject(error: unknown): void }[] = []

  const done: IteratorReturnResult<undefined> = { value: undefined, done: true }

  /** What a `next()` gets once nothing is buffered; an error is told once. */
  const settle = (): Promise<IteratorResult<T>> => {
    if (ending.tag !== 'error') return Promise.resolve(done)
    const { error } = ending
    ending = { tag: 'done' }
    return Promise.reject(error)
  }
  const end = (how: Ending): void => {
    if (ending.tag !== 'open') return
    ending = how
    for (const caller of waiting.splice(0)) settle().then(caller.resolve, caller.reject)
  }
  const drop = (): void => {
    buffer = []
    head = 0
  }

  return {
    get size() {
      return buffer.length - head
    },
    get parked() {
      return waiting.length > 0
    },
    push(value) {
      if (ending.tag !== 'open') return
      const caller = waiting.shift()
      if (!caller) {
        buffer.push(value)
        return
      }
      hooks.taken?.(value)
      caller.resolve({ value, done: false })
    },
    finish: () => end({ tag: 'done' }),
    fail: (error) => end({ tag: 'error', error }),
    close() {
      drop()
      if (ending.tag === 'error') ending = { tag: 'done' }
      end({ tag: 'done' })
    },
    abort(reason) {
      if (ending.tag === 'done' && head === buffer.length) return
      drop()
      if (ending.tag === 'open') end({ tag: 'error', error: reason })
      else ending = { tag: 'error', error: reason }
    },
    next() {
      if (head < buffer.length) {
        const value = buffer[head] as T
        buffer[head++] = undefined as T
        // Taken values are let go of in bulk: shifting each would make a long queue quadratic.
        if (head === buffer.length) drop()
        else if (head > 1024 && head * 2 > buffer.length) {
          buffer = buffer.slice(head)
          head = 0
        }
        hooks.taken?.(value)
        return Promise.resolve({ value, done: false })
      }
      if (ending.tag !== 'open') return settle()
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    return() {
      drop()
      if (ending.tag === 'error') ending = { tag: 'done' }
      end({ tag: 'done' })
      hooks.left?.()
      return Promise.resolve(done)
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
