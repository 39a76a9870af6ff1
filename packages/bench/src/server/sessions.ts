import { firstNumber } from './event-batch.ts'
import type { Refusal } from './messages.ts'

/** One client's session, as far as replies need it. */
export interface Session {
  readonly clientId: string
  readonly channels: Set<string>
  /** Connects answered: the first one is answered at once, with the advice. */
  connects: number
  /** Answers the connect that is held. */
  held: ((events: Uint8Array | undefined, count: number, refusal?: Refusal) => void) | undefined
  /** Events that came while no connect was held. */
  queued: { bytes: Uint8Array; count: number }[]
  /** The number of the event that comes next. */
  next: number
  /** The next batch, made while the client was busy with the last one. */
  prepared: Uint8Array | undefined
  /** When the last connect's reply was handed to the kernel. */
  wroteAt: number | undefined
}

export function newSession(number: number): Session {
  return {
    clientId: `bench${number.toString(36).padStart(10, '0')}`,
    channels: new Set(),
    connects: 0,
    held: undefined,
    queued: [],
    next: firstNumber,
    prepared: undefined,
    wroteAt: undefined,
  }
}
