import type { SfStreamError } from '../errors.ts'
import type { ReplayId } from '../events/stream-event.ts'
import type { StartPosition } from '../source/source.ts'
import type { ReplayGapReason } from '../source/source-status.ts'

/** An event, as often as it is handed out. */
export interface WindowEvent<T> {
  type: 'event'
  /** The position once this event has been handed out; undefined: as before, for others of its replay id are to follow. */
  position: ReplayId | undefined
  value: T
  /** What it takes of the window's bound. */
  bytes: number
}

/** What a replay could not honour, at the place where it happened. */
export interface WindowGap {
  type: 'gap'
  reason: ReplayGapReason
  from: ReplayId | undefined
  to: StartPosition
  error?: SfStreamError
  /** It is about what this reader asked for; false: the live subscription itself has a gap. */
  own: boolean
}

export type WindowItem<T> =
  | WindowEvent<T>
  | WindowGap
  /** What a reader has had may come again from here on. */
  | { type: 'resubscribed' }

export interface WindowLimits {
  maxEvents: number
  maxBytes: number
}

/** The newest items of a channel, numbered in order. Any number of readers share it: each is no more than a number. */
export interface EventWindow<T> {
  /** The number of the oldest item kept. */
  readonly start: number
  /** The number the next item will have. */
  readonly end: number
  push(items: readonly WindowItem<T>[]): void
  at(number: number): WindowItem<T> | undefined
  /** The number that follows a position reached here; undefined where it is not known (any more). */
  after(position: ReplayId): number | undefined
}

export function eventWindow<T>({ maxEvents, maxBytes }: WindowLimits): EventWindow<T> {
  let items: (WindowItem<T> | undefined)[] = []
  /** Index in `items` of the oldest one kept. */
  let head = 0
  let start = 0
  let bytes = 0
  /** By text: an id may have come as a number or as digits. */
  const numbers = new Map<string, number>()

  const dropOldest = (): void => {
    const item = items[head] as WindowItem<T>
    items[head++] = undefined
    start++
    if (item.type === 'event') {
      bytes -= item.bytes
      if (item.position !== undefined && numbers.get(String(item.position)) === start) numbers.delete(String(item.position))
    }
    // In bulk: shifting each would make a long window quadratic.
    if (head > 1024 && head * 2 > items.length) {
      items = items.slice(head)
      head = 0
    }
  }

  return {
    get start() {
      return start
    },
    get end() {
      return start + items.length - head
    },
    push(added) {
      for (const item of added) {
        items.push(item)
        if (item.type !== 'event') continue
        bytes += item.bytes
        if (item.position !== undefined) numbers.set(String(item.position), start + items.length - head)
      }
      // One is always kept, however large: its position is where readers go on from.
      while (items.length - head > 1 && (items.length - head > maxEvents || bytes > maxBytes)) dropOldest()
    },
    at: (number) => items[head + number - start],
    after: (position) => numbers.get(String(position)),
  }
}
