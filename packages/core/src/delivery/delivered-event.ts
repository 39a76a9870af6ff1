import type { BayeuxMessage } from '../bayeux/wire/message.ts'
import type { EventFields } from '../events/event-fields.ts'
import type { EventKind, ReplayId, StreamEvent } from '../events/stream-event.ts'
import type { Slot } from './low-water-mark.ts'

/** Who is told that an event is finished. */
export interface Finisher {
  commit(slot: Slot): Promise<void>
}

/** A StreamEvent that knows its place in the order of arrival. A class, so that the place is nobody else's to see. */
export class DeliveredEvent<T> implements StreamEvent<T> {
  readonly channel: string
  readonly kind: EventKind
  readonly replayId: ReplayId | undefined
  readonly createdDate: string | undefined
  readonly eventUuid: string | undefined
  readonly payload: T
  readonly message: BayeuxMessage
  readonly #slot: Slot
  readonly #finisher: Finisher

  constructor(message: BayeuxMessage, fields: EventFields, slot: Slot, finisher: Finisher) {
    this.channel = message.channel as string
    this.kind = fields.kind
    this.replayId = fields.replayId
    this.createdDate = fields.createdDate
    this.eventUuid = fields.eventUuid
    this.payload = fields.payload as T
    this.message = message
    this.#slot = slot
    this.#finisher = finisher
  }

  commit(): Promise<void> {
    return this.#finisher.commit(this.#slot)
  }

  static slot(event: DeliveredEvent<unknown>): Slot {
    return event.#slot
  }

  /** The same event with a payload that a schema has passed. */
  static withPayload<T>(event: DeliveredEvent<unknown>, payload: T): DeliveredEvent<T> {
    return new DeliveredEvent(event.message, { ...event, payload }, event.#slot, event.#finisher)
  }
}
