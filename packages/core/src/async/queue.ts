/**
 * A queue for one consumer, as a hand-written async iterator: a generator could not be left while it is parked.
 * Parked `next()` calls are answered in order, and all of them settle when the queue ends.
 */
export interface Queue<T> extends AsyncIterableIterator<T> {
  readonly size: number
  /** Somebody waits in `next()`. */
  readonly parked: boolean
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
/** Answers a call of `next()`; a rejected promise rejects it. */
type Answer<T> = (result: IteratorResult<T> | Promise<never>) => void

const done: Ending = { tag: 'done' }

const noHooks: QueueHooks<unknown> = {}

export function queue<T>(hooks: QueueHooks<T> = noHooks): Queue<T> {
  return new BoundlessQueue(hooks)
}

/** A class, because clients are made of many: what instances share is not kept for each. */
class BoundlessQueue<T> implements Queue<T> {
  readonly #hooks: QueueHooks<T>
  #buffer: T[] = []
  #head = 0
  #ending: Ending | undefined
  #told = false
  #waiting: Answer<T>[] = []

  constructor(hooks: QueueHooks<T>) {
    this.#hooks = hooks
  }

  get size(): number {
    return this.#buffer.length - this.#head
  }

  get parked(): boolean {
    return this.#waiting.length > 0
  }

  push(value: T): void {
    if (this.#ending) return
    this.#buffer.push(value)
    this.#serve()
  }

  take(): T | undefined {
    const buffer = this.#buffer
    if (this.#head === buffer.length) return undefined
    const value = buffer[this.#head] as T
    buffer[this.#head++] = undefined as T
    // Taken values are let go of in bulk: shifting each would make a long queue quadratic.
    if (this.#head === buffer.length || (this.#head > 1024 && this.#head * 2 > buffer.length)) this.#keep(buffer.slice(this.#head))
    this.#hooks.taken?.(value)
    return value
  }

  takeEnd(): Ending | undefined {
    const ending = this.#ending
    if (!ending || this.size > 0) return undefined
    // An error is told once; after it, and to everybody else, the end is an ordinary one.
    this.#ending = done
    if (!this.#told) {
      this.#told = true
      this.#hooks.ended?.()
    }
    return ending
  }

  putBack(values: readonly T[]): void {
    this.#keep([...values, ...this.#buffer.slice(this.#head)])
    this.#serve()
  }

  finish(): void {
    if (!this.#ending) this.#end(done)
  }

  fail(error: unknown): void {
    if (!this.#ending) this.#end({ tag: 'error', error })
  }

  close(): void {
    this.#keep([])
    this.#end(done)
  }

  abort(reason: unknown): void {
    if (this.#told || (this.#ending?.tag === 'done' && this.size === 0)) return
    this.#keep([])
    this.#end({ tag: 'error', error: reason })
  }

  next(): Promise<IteratorResult<T>> {
    if (this.size > 0) return Promise.resolve({ value: this.take() as T, done: false })
    return new Promise((resolve) => {
      // Most have one caller that waits: a list that grows by `push` has room for sixteen more at once.
      this.#waiting = this.#waiting.concat(resolve)
      if (this.#ending) this.#settle()
      else this.#hooks.parked?.()
    })
  }

  return(): Promise<IteratorResult<T>> {
    this.close()
    return this.next()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #keep(values: T[]): void {
    this.#buffer = values
    this.#head = 0
  }

  #serve(): void {
    while (this.parked && this.size > 0) (this.#waiting.shift() as Answer<T>)({ value: this.take() as T, done: false })
  }

  #end(how: Ending): void {
    this.#ending = how
    this.#settle()
  }

  #settle(): void {
    for (const answer of this.#waiting.splice(0)) {
      const ending = this.takeEnd()
      answer(ending?.tag === 'error' ? Promise.reject(ending.error) : { value: undefined, done: true })
    }
  }
}
