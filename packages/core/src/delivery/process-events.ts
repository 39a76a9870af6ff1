import { type Deferred, deferred } from '../async/deferred.ts'
import type { StreamEvent } from '../events/stream-event.ts'

export interface ProcessParts<T> {
  pull(): Promise<IteratorResult<StreamEvent<T>>>
  /** Settles a `pull` that is parked. */
  close(): void
  handler(event: StreamEvent<T>): unknown
  finished(event: StreamEvent<T>): void
  concurrency: number
  orderBy: ((event: StreamEvent<T>) => string) | undefined
  /** An abort is answered at once; any other end waits for the handlers that run. */
  aborted(): boolean
  /** Hands over what is to be called at an abort. */
  onAbort(wake: () => void): void
}

/**
 * Calls `handler` for each event, up to `concurrency` at a time; events with the same `orderBy` key one after another.
 * The first handler to fail ends it: the others are awaited, what is unfinished comes again.
 */
export async function processEvents<T>(parts: ProcessParts<T>): Promise<void> {
  const { concurrency, orderBy } = parts
  /** The last of each key's handlers that run or wait. */
  const tails = new Map<string, Promise<void>>()
  let running = 0
  /** Settled when a handler ends: a race over all of them would leave a reaction on each, every time. */
  let change: Deferred<void> = deferred()
  let failure: { error: unknown } | undefined

  const wake = (): void => {
    change.resolve()
    change = deferred()
  }
  parts.onAbort(wake)
  const fail = (error: unknown): void => {
    failure ??= { error }
    parts.close()
  }
  const handle = async (event: StreamEvent<T>, before: Promise<void> | undefined): Promise<void> => {
    try {
      if (before) await before
      if (failure) return
      await parts.handler(event)
      parts.finished(event)
    } catch (error) {
      fail(error)
    } finally {
      running--
      wake()
    }
  }
  const start = (event: StreamEvent<T>): void => {
    const key = orderBy?.(event)
    running++
    const task = handle(event, key === undefined ? undefined : tails.get(key))
    if (key === undefined) return
    tails.set(key, task)
    void task.then(() => {
      if (tails.get(key) === task) tails.delete(key)
    })
  }

  try {
    while (!failure) {
      const next = await parts.pull()
      if (next.done || failure) break
      start(next.value)
      while (running >= concurrency && !failure && !parts.aborted()) await change.promise
    }
  } catch (error) {
    if (parts.aborted()) throw error
    fail(error)
  }
  while (running > 0) await change.promise
  if (failure) throw failure.error
}
