import type { BayeuxMessage } from '../bayeux/wire/message.ts'

/**
 * A place in a channel's stream. Opaque: compare for equality only. A number where a JavaScript number holds it, else
 * its digits as text.
 */
export type ReplayId = number | `${bigint}`

export type EventKind = 'platform-event' | 'change-event' | 'push-topic' | 'generic' | 'system-topic' | 'unknown'

/** One event, whatever family of channel it came from. */
export interface StreamEvent<T = unknown> {
  channel: string
  kind: EventKind
  replayId: ReplayId | undefined
  /** As the org wrote it: `event.createdDate`, `payload.CreatedDate`, or the commit timestamp's digits for change events. */
  createdDate: string | undefined
  /** Sent by endpoint versions 52.0 and later. */
  eventUuid: string | undefined
  /** `payload`; `sobject` for PushTopics and system topics; the string for generic events. */
  payload: T
  /** Exactly as received. */
  message: BayeuxMessage
  /**
   * Says this event is finished. Positions are a low-water mark: it resolves when every earlier event is finished too and
   * the position that follows is durable. Of events that share an id (enriched change events) the id becomes the position
   * with the last of them; the commits of those before it wait for what precedes the group.
   * With `commit: 'manual'` commit every event. Without a replay store it resolves at once.
   * @throws ReplayError `store_failed`; StateError `client_stopped` when it was closed with earlier events unfinished
   */
  commit(): Promise<void>
}
