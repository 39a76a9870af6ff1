import type { BayeuxMessage, OutgoingMessage } from '../bayeux/wire/message.ts'
import type { ReplayId } from '../events/stream-event.ts'
import type { SourceStatus } from './source-status.ts'

/**
 * Where events come from. Bayeux is one Source; a relay or a shared browser tab is another. What stands above knows
 * only this port.
 *
 * A feed is one acceptance of one channel. When the session under it is lost its batches end, and the layer above opens
 * the channel again from the last event it accepted: so resuming is written once, for every Source.
 */
export interface Source {
  /** Where it connects to, once known. */
  readonly endpoint: URL | undefined
  /** Whether the org could be sending right now: connected, and a poll held or about to be. */
  readonly live: boolean
  /** The time by the org's clock, as far as it is known: the machine's own may be wrong by hours. [PROTOCOL D9] */
  now?(): number
  /** Resolves when connected. Shared: concurrent calls make one session. Opening a channel starts a Source too. */
  start(): Promise<void>
  /** Names the org in replay keys. May log in first; rejects while the Source has failed. */
  org(): Promise<string>
  open(request: OpenRequest): Feed
  /**
   * Asks that no further reply be fetched until `release` is called: the caller's buffers are full. A Source bounds how
   * long it complies by what its session can bear.
   */
  hold(): () => void
  /** Sends a message of the caller's own. Sources without one reject with a StateError. */
  send(message: OutgoingMessage): Promise<BayeuxMessage[]>
  /** Observes status changes and every message; the returned function stops it. */
  observe(observer: SourceObserver): () => void
  /** Says goodbye and lets everything go, within 2 s. `start` works again afterwards. */
  stop(): Promise<void>
}

export interface SourceObserver {
  status?(status: SourceStatus): void
  message?(message: BayeuxMessage): void
}

/** Where a feed begins: after that event, with all retained events, with new ones only, or without any replay extension. */
export type StartPosition = ReplayId | 'all' | 'new' | 'off'

export interface OpenRequest {
  channel: string
  position: StartPosition
  /** Closes the feed: the channel is unsubscribed and its batches end. */
  signal: AbortSignal
  /** How many more events the caller has room for, when they come in a reply of `bytes`; a Source may fetch ahead while one fits. */
  room(bytes: number): number
  /** True: an org limit rejects `accepted` instead of being waited for. */
  failOnLimit?: boolean
}

export interface Feed {
  /**
   * True when the org has accepted the subscription; false when the feed was closed or its session lost before that.
   * Rejects with the coded error when the org refused it for good.
   */
  readonly accepted: Promise<boolean>
  /**
   * Batches in arrival order. Ends without an error when the feed was closed, or when the session was lost and the
   * channel is to be opened again; throws the coded error when the Source has given up.
   */
  readonly batches: AsyncIterable<Batch>
}

/** The events of one reply on one channel. */
export interface Batch {
  messages: readonly BayeuxMessage[]
  /** Length of the JSON text of one message, on average. */
  bytesEach: number
  /** False when the reply was cut off: events sharing the last one's id may be missing. */
  complete: boolean
  /** Events received before may come again from this one on. */
  repeats?: boolean
}
