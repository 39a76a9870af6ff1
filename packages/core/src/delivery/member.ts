import type { BayeuxMessage } from '../bayeux/wire/message.ts'
import type { EventFields } from '../events/event-fields.ts'
import type { ReplayId } from '../events/stream-event.ts'

/** What a channel's stream knows of a subscription that takes part in it. */
export interface Member {
  /** An event; `drop`: not to be handed out, but its position counts. */
  receive(message: BayeuxMessage, fields: EventFields, bytes: number, drop: boolean): void
  /** The reply is in; `openId`: it broke off inside the group of that id. */
  replyEnded(openId: ReplayId | undefined): void
  repeated(): void
  accepted(): void
  /** Rejects the iterator, after what is buffered. */
  fail(error: unknown): void
  /** How many more events it would keep, when they come in a reply of that many bytes. */
  room(bytes: number): number
  /** More than its marks allow. */
  readonly full: boolean
  /** Back to a quarter of its marks. */
  readonly drained: boolean
  /** A consumer waits for an event. */
  readonly waiting: boolean
  readonly buffered: number
}

/** What a subscription asks of the channel's stream. */
export interface Channel {
  readonly name: string
  /** Whether the org could be sending: accepted, and a poll held. */
  readonly live: boolean
  /** By the org's clock, which events are dated by. [PROTOCOL D9] */
  now(): number
  /** The stream waits for its members' buffers: `eased` is wanted. */
  readonly pressed: boolean
  /** A buffer is above its mark, though nothing was received. */
  filled(): void
  /** A buffer is down to its quarter. */
  eased(): void
  /** A consumer begins to wait. */
  parked(): void
  leave(member: Member): void
}
