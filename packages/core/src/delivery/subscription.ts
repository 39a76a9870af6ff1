import type { ReplayId, StreamEvent } from '../events/stream-event.ts'

/** One channel's events, for one consumer. */
export interface Subscription<T = unknown> extends AsyncIterable<StreamEvent<T>>, AsyncDisposable {
  readonly channel: string
  /** The org has accepted the subscription. Handled: a refusal also reaches the iterator and `status()`. */
  readonly ready: Promise<void>
  readonly stats: SubscriptionStats
  /** Calls `handler` for each event, up to `concurrency` at a time (default 1), in order per `orderBy` key; resolves at the end. */
  process(
    handler: (event: StreamEvent<T>) => unknown,
    options?: { concurrency?: number; orderBy?: (event: StreamEvent<T>) => string },
  ): Promise<void>
  /** High-water mark 0; streams read ahead all the same, so use `commit: 'manual'`. */
  toReadableStream(): ReadableStream<StreamEvent<T>>
  /** Unsubscribes; resolves when the last finished position is durable. */
  close(): Promise<void>
}

/** What hubs have to know besides. */
export interface HubNeeds {
  /** The last reply broke off inside the group of this id. */
  readonly openId: ReplayId | undefined
  /** Its channel, and which subscription stores the positions of that. */
  readonly stream: { keeper: unknown }
  /** A drain that only quiet ends: dates are compared by clocks that may be a second apart, and hubs have to miss nothing. */
  quietOnly?: boolean
}

export interface SubscriptionStats {
  received: number
  delivered: number
  /** Repeats dropped. */
  duplicates: number
  buffered: number
  /** How old the event last handed out was then. */
  lagMs?: number
  committed?: ReplayId
  /** Why it ended: 'closed', 'aborted', 'failed', 'stopped' by askStop(), or for a drain 'idle', 'maxMs', 'maxEvents', 'reached-start'. */
  ended?: string
}
