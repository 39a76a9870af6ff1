import type { BayeuxMessage } from '../bayeux/wire/message.ts'
import type { EventFields } from '../events/event-fields.ts'
import type { EventKind, ReplayId, StreamEvent } from '../events/stream-event.ts'
import type { Slot } from './ledger.ts'

/** A StreamEvent that knows its place in the order of arrival. A class, so that the place is nobody else's to see. */
export class DeliveredEvent implements StreamEvent {
  readonly channel: string
  readonly kind: EventKind
  readonly replayId: ReplayId | undefined
  readonly createdDate: string | undefined
  readonly eventUuid: string | undefined
  readonly payload: unknown
  readonly message: BayeuxMessage
  readonly #bytes: number
  readonly #slot: Slot | undefined

  constructor(message: BayeuxMessage, fields: EventFields, bytes: number, slot: Slot | undefined) {
    this.channel = message.channel as string
    this.kind = fields.kind
    this.replayId = fields.replayId
    this.createdDate = fields.createdDate
    this.eventUuid = fields.eventUuid
    this.payload = fields.payload
    this.message = message
    this.#bytes = bytes
    this.#slot = slot
  }

  commit(): Promise<void> {
    return this.#slot ? this.#slot.ledger.commit(this.#slot) : Promise.resolve()
  }

  /** Estimated length of its JSON text. */
  static bytes(event: DeliveredEvent): number {
    return event.#bytes
  }

  static isFinished(event: DeliveredEvent): boolean {
    return event.#slot?.finished ?? false
  }

  static finish(event: DeliveredEvent): void {
    event.#slot?.ledger.finish(event.#slot)
  }

  /** The same event with a payload that a schema has passed. */
  static withPayload(event: DeliveredEvent, payload: unknown): DeliveredEvent {
    return new DeliveredEvent(event.message, { ...event, payload }, event.#bytes, event.#slot)
  }
}
