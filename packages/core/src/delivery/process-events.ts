import type { StreamEvent } from '../events/stream-event.ts'

/**
 * Calls `handler` for each event, up to `concurrency` at a time; events with the same `orderBy` key one after another.
 * The first handler to fail ends it: the others are awaited, what is unfinished comes again.
 */
export async function processEvents<T>(
  pull: () => Promise<IteratorResult<StreamEvent<T>>>,
  handler: (event: StreamEvent<T>) => unknown,
  finished: (event: StreamEvent<T>) => void,
  concurrency: number,
  orderBy?: (event: StreamEvent<T>) => string,
): Promise<void> {
  const running = new Set<Promise<void>>()
  /** The last of each key's handlers still running. */
  const tails = new Map<string, Promise<void>>()
  let failure: { error: unknown } | undefined
  let stopWaiting = (): void => {}

  /** The next event; undefined as soon as a handler has failed: a quiet channel must not hide it. */
  const nextEvent = (): Promise<IteratorResult<StreamEvent<T>> | undefined> =>
    new Promise((resolve, reject) => {
      stopWaiting = () => resolve(undefined)
      pull().then(resolve, reject)
    })

  const handle = async (event: StreamEvent<T>, before: Promise<void> | undefined): Promise<void> => {
    await before
    if (failure) return
    try {
      await handler(event)
      finished(event)
    } catch (error) {
      failure ??= { error }
      stopWaiting()
    }
  }

  while (!failure) {
    const next = await nextEvent()
    if (!next || next.done) break
    const key = orderBy?.(next.value)
    const task = handle(next.value, key === undefined ? undefined : tails.get(key))
    running.add(task)
    if (key !== undefined) tails.set(key, task)
    void task.then(() => {
      running.delete(task)
      if (key !== undefined && tails.get(key) === task) tails.delete(key)
    })
    if (running.size >= concurrency) await Promise.race(running)
  }
  await Promise.all(running)
  if (failure) throw failure.error
}
