import type { BayeuxMessage } from '../bayeux/wire/message.ts'
import type { EventFields } from '../events/event-fields.ts'
import type { EventKind, ReplayId, StreamEvent } from '../events/stream-event.ts'
import type { Ledger } from './ledger.ts'
import type { Slot } from './low-water-mark.ts'

/** A StreamEvent that knows its place in the order of arrival. A class, so that the place is nobody else's to see. */
export class DeliveredEvent<T> implements StreamEvent<T> {
  readonly channel: string
  readonly kind: EventKind
  readonly replayId: ReplayId | undefined
  readonly createdDate: string | undefined
  readonly eventUuid: string | undefined
  readonly payload: T
  readonly message: BayeuxMessage
  readonly #bytes: number
  readonly #ledger: Ledger | undefined
  readonly #slot: Slot | undefined

  constructor(message: BayeuxMessage, fields: EventFields, bytes: number, ledger: Ledger | undefined, slot: Slot | undefined) {
    this.channel = message.channel as string
    this.kind = fields.kind
    this.replayId = fields.replayId
    this.createdDate = fields.createdDate
    this.eventUuid = fields.eventUuid
    this.payload = fields.payload as T
    this.message = message
    this.#bytes = bytes
    this.#ledger = ledger
    this.#slot = slot
  }

  commit(): Promise<void> {
    return this.#ledger && this.#slot ? this.#ledger.commit(this.#slot) : Promise.resolve()
  }

  /** Estimated length of its JSON text. */
  static bytes(event: DeliveredEvent<unknown>): number {
    return event.#bytes
  }

  static isFinished(event: DeliveredEvent<unknown>): boolean {
    return event.#slot?.finished ?? false
  }

  static finish(event: DeliveredEvent<unknown>): void {
    if (event.#ledger && event.#slot) event.#ledger.finish(event.#slot)
  }

  /** The same event with a payload that a schema has passed. */
  static withPayload<T>(event: DeliveredEvent<unknown>, payload: T): DeliveredEvent<T> {
    return new DeliveredEvent(event.message, { ...event, payload }, event.#bytes, event.#ledger, event.#slot)
  }
}
