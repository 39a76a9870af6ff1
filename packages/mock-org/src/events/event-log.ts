import type { Family } from './channel-definition.ts'
import type { LoggedEvent } from './logged-event.ts'

/** The replay log of one channel: events in the order they were logged, each with the channel's own replay id. */
export interface EventLog {
  /** Absolute position after the newest event: where a `-1` subscription starts. */
  readonly end: number
  append(event: LoggedEvent): void
  at(position: number): LoggedEvent | undefined
  /** The position a subscription starts from, or undefined when the id is refused. `'all'` is -2. */
  startAfter(replayId: string | 'all', unknownIds: 'refuse' | 'nearest'): number | undefined
  /** Every event still in memory, and whether a replay would still find it. */
  history(): { event: LoggedEvent; retained: boolean }[]
  /** The next id: not contiguous, unless the family's ids are dense. */
  nextReplayId(): bigint
  readonly lastReplayId: bigint | undefined
  /** The bus was reset: what was logged cannot be replayed, and ids start anew. */
  reset(firstId: bigint): void
}

export interface EventLogOptions {
  family: Family
  now(): number
  random(): number
  retentionMs(): number
  firstId: bigint
  /** The greatest step between two ids; 1 makes them dense. */
  maxStep: number
  /** Events kept in memory, purged ones included. */
  capacity: number
}

export function eventLog(options: EventLogOptions): EventLog {
  const { now, random, capacity, maxStep } = options
  let events: LoggedEvent[] = []
  /** Absolute position of `events[0]`. */
  let base = 0
  let retainedFrom = 0
  let nextId = options.firstId
  let lastId: bigint | undefined
  /** The last position of each id still in memory: equal ids are one group, passed as a whole. */
  const positions = new Map<string, number>()

  const purge = (): void => {
    const oldest = now() - options.retentionMs()
    while (retainedFrom < base + events.length && events[retainedFrom - base]!.loggedAt <= oldest) retainedFrom += 1
  }

  const shrink = (): void => {
    // Halved at once, as removing one by one from the front is quadratic.
    if (events.length < capacity * 2) return
    const dropped = events.slice(0, events.length - capacity)
    for (const [index, event] of dropped.entries()) {
      const id = String(event.replayId)
      if (positions.get(id) === base + index) positions.delete(id)
    }
    events = events.slice(-capacity)
    base += dropped.length
    retainedFrom = Math.max(retainedFrom, base)
  }

  return {
    get end() {
      return base + events.length
    },
    get lastReplayId() {
      return lastId
    },
    append(event) {
      if (event.replayId !== undefined) {
        positions.set(String(event.replayId), base + events.length)
        lastId = event.replayId
        if (event.replayId >= nextId) nextId = event.replayId + 1n
      }
      events.push(event)
      shrink()
    },
    at: (position) => events[position - base],
    startAfter(replayId, unknownIds) {
      purge()
      if (replayId === 'all') return retainedFrom
      const found = positions.get(replayId)
      if (found !== undefined) return found >= retainedFrom ? found + 1 : undefined
      if (unknownIds === 'refuse') return undefined
      const wanted = BigInt(replayId)
      const retained = events.slice(retainedFrom - base)
      const next = retained.findIndex((event) => event.replayId !== undefined && event.replayId > wanted)
      return next > 0 ? retainedFrom + next : undefined
    },
    history() {
      purge()
      return events.map((event, index) => ({ event, retained: base + index >= retainedFrom }))
    },
    nextReplayId() {
      const id = nextId
      nextId += 1n + BigInt(Math.floor(random() * maxStep))
      return id
    },
    reset(firstId) {
      positions.clear()
      retainedFrom = base + events.length
      nextId = firstId
      lastId = undefined
    },
  }
}
