import type { BayeuxMessage } from '../bayeux/wire/message.ts'
import { EventFields } from '../events/event-fields.ts'
import type { EventKind, StreamEvent } from '../events/stream-event.ts'
import type { Slot } from './ledger.ts'

/**
 * A StreamEvent that knows its place in the order of arrival. A class, so that the place is nobody else's to see; one object, because a
 * reply may hold thousands.
 */
export class DeliveredEvent extends EventFields implements StreamEvent {
  readonly channel: string
  readonly message: BayeuxMessage
  readonly #bytes: number
  #slot: Slot | undefined

  constructor(message: BayeuxMessage, kind: EventKind, bytes: number) {
    super(message, kind)
    this.channel = message.channel as string
    this.message = message
    this.#bytes = bytes
  }

  commit(): Promise<void> {
    return this.#slot ? this.#slot.ledger.commit(this.#slot) : Promise.resolve()
  }

  /** Estimated length of its JSON text. */
  static bytes(event: DeliveredEvent): number {
    return event.#bytes
  }

  /** Where it stands in one subscription. */
  static place(event: DeliveredEvent, slot: Slot | undefined): void {
    event.#slot = slot
  }

  static isFinished(event: DeliveredEvent): boolean {
    return event.#slot?.finished ?? false
  }

  static finish(event: DeliveredEvent): void {
    event.#slot?.ledger.finish(event.#slot)
  }

  /** The same event for another subscription, which has a place of its own for it. */
  static again(event: DeliveredEvent): DeliveredEvent {
    return new DeliveredEvent(event.message, event.kind, event.#bytes)
  }

  /** The same event with a payload that a schema has passed. */
  static withPayload(event: DeliveredEvent, payload: unknown): DeliveredEvent {
    const passed: { payload: unknown } & DeliveredEvent = DeliveredEvent.again(event)
    passed.payload = payload
    passed.#slot = event.#slot
    return passed
  }
}
