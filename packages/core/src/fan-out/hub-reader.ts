import type { ReplayId } from '../events/stream-event.ts'
import type { StartPosition } from '../source/source.ts'
import type { EventWindow, WindowItem } from './event-window.ts'

/** What a reader is told. */
export type HubItem<T> =
  | WindowItem<T>
  /** Events flow from here on. */
  | { type: 'subscribed'; from: StartPosition | Mark }
  /** Nothing flows until a replay begins that brings what is missing. */
  | { type: 'waiting' }
  /** The last item. */
  | { type: 'failed'; error: unknown }

/** One reader of a channel: a pointer into a window, and so never a buffer. */
export interface HubReader<T> {
  /** What there is now, about `maxBytes` at most. Empty: `ready` is called when there is more. */
  take(maxBytes: number): readonly HubItem<T>[]
  /** Its place in the live window; undefined while it is elsewhere. */
  readonly number: number | undefined
  close(): void
}

/** A place in one hub's window: where a reader goes on that has reached no position yet, for as long as the hub lives. */
export interface Mark {
  hub: string
  number: number
}

export function isMark(position: StartPosition | Mark): position is Mark {
  return typeof position === 'object'
}

/** Where a reader stands. */
export type Place<T> =
  /** Nowhere yet: the channel is not accepted, or what it waits for has not come by. */
  | { type: 'pending' }
  | { type: 'window'; window: EventWindow<T>; number: number; onward?: Onward; isRead?: boolean }
  /** What it needs is kept nowhere; nothing is done about it before it asks for more. */
  | { type: 'fallen' }
  /** A replay is to begin for it. */
  | { type: 'queued' }
  | { type: 'ended' }

/** Of a window that ends: where its readers go on, once they have read it. */
export interface Onward {
  /** The number in the live window; undefined while the replay goes on; 'nowhere': it broke off. */
  readonly to: number | 'nowhere' | undefined
  /** Nothing shows that what comes there follows what came here. */
  readonly blind: boolean
  /** A reader has taken something. */
  taken(): void
  /** A reader has gone. */
  left(): void
}

/** What the hub keeps of a reader. */
export interface Member<T> {
  position: StartPosition | Mark
  place: Place<T>
  notices: HubItem<T>[]
  /** There is something to take. */
  ready(): void
}

/** A position that a replay can begin at. */
export function replayable(position: StartPosition | Mark): ReplayId | 'all' {
  return isMark(position) || position === 'new' || position === 'off' ? 'all' : position
}
