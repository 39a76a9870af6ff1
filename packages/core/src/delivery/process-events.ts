import { type Deferred, deferred } from '../async/deferred.ts'
import { SfStreamError, textOf } from '../errors.ts'
import type { StreamEvent } from '../events/stream-event.ts'

export interface ProcessParts<T> {
  pull(): Promise<IteratorResult<StreamEvent<T>>>
  /** Settles a `pull` that is parked. */
  close(): void
  handler(event: StreamEvent<T>): unknown
  /** The event has to wait for its key; `resumed`: its turn has come. */
  waits(event: StreamEvent<T>): void
  resumed(event: StreamEvent<T>): void
  finished(event: StreamEvent<T>): void
  concurrency: number
  orderBy: ((event: StreamEvent<T>) => string) | undefined
}

export interface Processing {
  /** Resolves at the end, when the handlers that run are done. */
  readonly done: Promise<void>
  readonly running: number
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
export function processEvents<T>(parts: ProcessParts<T>): Processing {
  const { concurrency, orderBy } = parts
  /** Of each key whose handler runs: the events that wait for it. */
  const lanes = new Map<string, StreamEvent<T>[]>()
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
  const fail = (error: unknown): void => {
    failure ??= { error }
    over = true
    parts.close()
  }
  const nextOf = (key: string | undefined): StreamEvent<T> | undefined => {
    if (key === undefined) return undefined
    const next = over ? undefined : lanes.get(key)?.shift()
    if (next) parts.resumed(next)
    else lanes.delete(key)
    return next
  }
  const work = async (first: StreamEvent<T>, key: string | undefined): Promise<void> => {
    running++
    for (let event: StreamEvent<T> | undefined = first; event; event = nextOf(key)) {
      try {
        await parts.handler(event)
        parts.finished(event)
      } catch (error) {
        fail(error)
      }
    }
    running--
    wake()
  }
  const place = (event: StreamEvent<T>): void => {
    let key: string | undefined
    try {
      key = orderBy?.(event)
    } catch (error) {
      return fail(error)
    }
    const lane = key === undefined ? undefined : lanes.get(key)
    if (lane) {
      lane.push(event)
      return parts.waits(event)
    }
    if (key !== undefined) lanes.set(key, [])
    void work(event, key)
  }

  const run = async (): Promise<void> => {
    let fault: { error: unknown } | undefined
    while (!failure && !fault) {
      try {
        const next = await parts.pull()
        if (next.done) break
        if (!over) place(next.value)
      } catch (error) {
        // What came before it is handled first.
        fault = { error }
      }
      while (running >= concurrency && !over) await change.promise
    }
    while (running > 0 && !aborted) await change.promise
    const end = failure ?? fault
    if (end) throw end.error
  }

  return {
    done: run(),
    get running() {
      return running
    },
    drop() {
      over = true
      wake()
    },
    abort(reason) {
      failure ??= { error: reason }
      aborted = true
      over = true
      wake()
    },
  }
}

/** @throws SfStreamError `bad_option` */
export function checkProcessing(handler: unknown, concurrency: unknown, orderBy: unknown): void {
  const refuse = (what: string, remediation: string): SfStreamError =>
    new SfStreamError({ code: 'bad_option', message: `process(): ${what}.`, remediation })
  if (typeof handler !== 'function') throw refuse('the handler is no function', 'Pass what is to be called for each event.')
  if (!((concurrency as number) >= 1)) throw refuse(`concurrency is ${textOf(concurrency)}`, 'Pass a number of 1 or more.')
  if (orderBy !== undefined && typeof orderBy !== 'function')
    throw refuse('orderBy is no function', 'Pass one that gives each event a key, or nothing.')
}
