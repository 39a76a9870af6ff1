import type { Entry } from './channel-record.ts'

/** One subscription of one program, from its first event to its last. */
export interface Run {
  readonly channel: string
  readonly process: number
  /** `strict`: as logged. `none`: handlers run side by side, each key in order. */
  readonly order: 'strict' | 'none'
  /** Handed to the consumer. */
  handed(mark: string): void
  /** The consumer has done its work with it. */
  handled(mark: string): void
  /** It may be forgotten: the next one was asked for, or it was committed. */
  finished(mark: string): void
  /** It was handed out and comes again: its loop was left. */
  returned(mark: string): void
  accepted(): void
}

export interface RunState {
  /** The replay value of its first subscribe request. */
  start: string | undefined
  /** What the store answered before it. */
  loaded: string | undefined
  /** How often the bus had been reset when it began. */
  epoch: number
  last: number
  readonly seen: Set<Entry>
}
