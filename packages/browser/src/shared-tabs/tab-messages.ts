import type { SourceState, SourceStatus, StartPosition } from '@sfstream/core'
import type { Mark, ToldError } from '@sfstream/core/internal'

/** How far a feed has come by the count of a leader: numbers of one epoch can be compared, replay ids cannot. */
export interface Stamp {
  epoch: number
  number: number
}

/** A channel that a tab holds open. */
export interface TabFeed {
  feed: number
  channel: string
  position: StartPosition | Mark
  stamp?: Stamp | undefined
}

/** From a tab to the leader; `tab` is who says it. */
export type TabMessage =
  /** Is there a leader? */
  | { type: 'hello'; tab: string }
  /** All that a tab holds open, for a new leader; one that has failed asks for no session before it is started. */
  | { type: 'present'; tab: string; epoch: number; feeds: readonly TabFeed[]; failed: boolean }
  /** Said to the leader of that epoch, as `more` is; a later one is told by `present`. */
  | { type: 'open'; tab: string; epoch: number; opened: TabFeed }
  /** There is room for another batch. */
  | { type: 'more'; tab: string; epoch: number; feed: number }
  | { type: 'close'; tab: string; feed: number }
  | { type: 'bye'; tab: string }

export type FeedNews =
  | { what: 'subscribed'; position: StartPosition | Mark }
  | { what: 'waiting' | 'resubscribed' }
  | { what: 'gap'; reason: string; from?: unknown; to: StartPosition; own: boolean }
  | {
      what: 'events'
      events: readonly { text: string; position?: StartPosition | undefined }[]
      stamp?: Stamp | undefined
    }
  | { what: 'failed'; error: ToldError }

/** From the leader to all tabs. What is of an older epoch counts for nothing. */
export type LeaderMessage =
  /** A leader has begun: who is there? */
  | { type: 'leader'; epoch: number }
  /** What it knows of the session; `skewMs` is how far the org's clock is ahead, `failures` tells one failure from the next. */
  | {
      type: 'session'
      epoch: number
      org?: string | undefined
      skewMs: number
      state: SourceState
      failures: number
      error?: ToldError | undefined
    }
  | { type: 'status'; epoch: number; status: SourceStatus; error?: ToldError | undefined }
  | { type: 'feed'; epoch: number; to: string; feed: number; news: readonly FeedNews[] }

export type Message = TabMessage | LeaderMessage

/** Whatever else an origin runs may speak on a channel of that name. */
export function isMessage(value: unknown): value is Message {
  const { type, epoch, tab, feeds, opened, news } = (value ?? {}) as Record<string, unknown>
  const isOfLeader = Number.isFinite(epoch) && (type !== 'feed' || Array.isArray(news))
  switch (type) {
    case 'leader':
    case 'session':
    case 'status':
    case 'feed':
      return isOfLeader
    case 'present':
      return typeof tab === 'string' && Array.isArray(feeds)
    case 'open':
      return typeof tab === 'string' && typeof opened === 'object' && opened !== null
    default:
      return typeof tab === 'string'
  }
}
