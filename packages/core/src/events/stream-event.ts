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
   * Says this event is finished. Resolves when a position that covers it is durable: positions are a low-water mark, so
   * that is when every earlier event is finished too.
   * @throws ReplayError `store_failed`
   */
  commit(): Promise<void>
}
