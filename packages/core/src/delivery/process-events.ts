import { type Deferred, deferred } from '../async/deferred.ts'
import { badOption } from '../errors.ts'
import type { StreamEvent } from '../events/stream-event.ts'
import { checkShape } from '../shape.ts'
import type { DeliveredEvent } from './delivered-event.ts'

/** Where the events come from, and what it wants to know of them. */
export interface Processed {
  pull(): Promise<IteratorResult<DeliveredEvent>>
  /** Settles a `pull` that is parked; calls `drop`. */
  close(): void
  /** The event has to wait for its key; `resumed`: its turn has come. */
  waits(event: DeliveredEvent): void
  resumed(event: DeliveredEvent): void
  finished(event: DeliveredEvent): void
}

export interface Handling {
  handler(event: StreamEvent): unknown
  concurrency: number
  orderBy: ((event: StreamEvent) => string) | undefined
}

export interface Processing {
  /** Resolves at the end, when the handlers that run are done. */
  readonly done: Promise<void>
  running(): number
  /** No further handler is called. */
  drop(): void
  /** As `drop`, and `done` rejects at once, whatever the handlers that run do. */
  abort(reason: unknown): void
}

/**
 * Calls `handler` for each event, up to `concurrency` at a time; events with the same `orderBy` key one after another.
 * Those that wait for their key take no slot, so one busy key never keeps the others waiting; until they are started
 * they count as buffered, which bounds them. The first handler to fail ends it: the others are awaited, what is
 * unfinished comes again.
 */
export function processEvents(source: Processed, { handler, concurrency, orderBy }: Handling): Processing {
  /** Of each key whose handler runs: the events that wait for it. */
  const lanes = new Map<string | undefined, DeliveredEvent[]>()
  let running = 0
  /** Settled when a handler ends: a race over all of them would leave a reaction on each, every time. */
  let change: Deferred<void> = deferred()
  let failure: { error: unknown } | undefined
  let over = false
  let aborted = false

  const wake = (): void => {
    change.resolve()
    change = deferred()
  }
  const drop = (): void => {
    over = true
    wake()
  }
  const fail = (error: unknown): void => {
    failure ??= { error }
    source.close()
  }
  const nextOf = (key: string | undefined): DeliveredEvent | undefined => {
    const next = over ? undefined : lanes.get(key)?.shift()
    if (next) source.resumed(next)
    else lanes.delete(key)
    return next
  }
  const work = async (first: DeliveredEvent, key: string | undefined): Promise<void> => {
    running++
    for (let event: DeliveredEvent | undefined = first; event; event = nextOf(key)) {
      try {
        await handler(event)
        source.finished(event)
      } catch (error) {
        fail(error)
      }
    }
    running--
    wake()
  }
  const place = (event: DeliveredEvent): void => {
    try {
      const key = orderBy?.(event)
      const lane = lanes.get(key)
      if (lane) {
        lane.push(event)
        return source.waits(event)
      }
      if (key !== undefined) lanes.set(key, [])
      void work(event, key)
    } catch (error) {
      fail(error)
    }
  }

  const run = async (): Promise<void> => {
    let fault: { error: unknown } | undefined
    try {
      while (!failure) {
        const next = await source.pull()
        if (next.done) break
        if (!over) place(next.value)
        while (running >= concurrency && !over) await change.promise
      }
    } catch (error) {
      // What came before it is handled first.
      fault = { error }
    }
    while (running > 0 && !aborted) await change.promise
    const end = failure ?? fault
    if (end) throw end.error
  }

  return {
    done: run(),
    running: () => running,
    drop,
    abort(reason) {
      failure ??= { error: reason }
      aborted = true
      drop()
    },
  }
}

/** @throws SfStreamError `bad_option` */
export function checkProcessing(handler: unknown, options: unknown): void {
  if (typeof handler !== 'function') throw badOption('process() has no handler', 'Pass a function, which is called with each event.')
  checkShape('process()', options, { concurrency: 'number >= 1', orderBy: 'function' })
}
