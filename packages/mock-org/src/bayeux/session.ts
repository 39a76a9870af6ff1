import type { LoggedEvent } from '../events/logged-event.ts'
import type { TopicFilter } from './topic-filter.ts'

/** One CometD session: what a handshake made, until disconnect or 40 s of silence. */
export interface Session {
  readonly clientId: string
  /** The BAYEUX_BROWSER cookie: sessions of one browser share it. */
  readonly browser: string
  /** The application node it lives on. */
  readonly node: number
  /** The token it was opened with; a later request may bring a newer one of the same user. */
  token: string
  readonly userId: string
  readonly version: number
  readonly createdAt: number
  /** When it is forgotten unless the client asks again. */
  expiresAt: number
  /** Connects answered or held so far. */
  connects: number
  readonly subscriptions: Map<string, TopicSubscription>
  queue: QueuedEvent[]
  held: HeldConnect | undefined
  flushing: boolean
  /** Connect requests in progress now, and at most. */
  connectsOpen: number
  connectsOpenMax: number
  /** What was written into replies. */
  readonly delivered: LoggedEvent[]
}

export interface TopicSubscription {
  /** As subscribed, with the query of a filtered PushTopic. */
  readonly key: string
  readonly channel: string
  readonly filter: TopicFilter | undefined
  readonly since: number
  readonly replay: string | undefined
  /** False until its replay has been queued: what is logged meanwhile is found in the log. */
  live: boolean
}

export interface QueuedEvent {
  readonly event: LoggedEvent
  readonly subscription: TopicSubscription
}

export interface HeldConnect {
  readonly since: number
  finish(end: HoldEnd): void
}

/** Why a held connect is answered. */
export type HoldEnd =
  | { kind: 'data' }
  | { kind: 'timeout' }
  | { kind: 'replaced' }
  | { kind: 'disconnected' }
  | { kind: 'aborted' }
  | { kind: 'cut' }
  | { kind: 'expired' }
  /** A failed reply; `kicked` puts a `/meta/disconnect` before it. */
  | { kind: 'failed'; error: string; failureReason?: string; reconnect: 'none' | 'handshake' | 'retry'; kicked: boolean }
  /** The server says goodbye: a `/meta/disconnect` alone. */
  | { kind: 'goodbye' }
