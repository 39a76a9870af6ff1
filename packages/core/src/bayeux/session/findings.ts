import type { Decoded } from '../wire/decode.ts'
import { type Fault, type FaultKind, messageFault } from '../wire/fault.ts'
import type { Advice, BayeuxMessage } from '../wire/message.ts'

/** What a reply says besides its events. */
export interface Findings {
  /** A failure that concerns the session, whichever message carried it. */
  fault: Fault | undefined
  advice: Advice | undefined
  /** The server pushed a disconnect. A fault in the same reply explains it, and comes first. [PROTOCOL F5] */
  disconnected: boolean
}

/** Faults that end the session, on whatever request they come. */
const grave: readonly FaultKind[] = ['unknown-client', 'auth', 'cookie', 'other-user']

/** Whatever its id: no other connect is out, and some servers leave ids out or count their own. [PROTOCOL C3] */
export function isConnectReply({ channel }: BayeuxMessage): boolean {
  return channel === '/meta/connect'
}

/** Some refusals leave `successful` out. */
export function isFailure({ successful, error }: BayeuxMessage): boolean {
  return successful === false || (successful === undefined && !!error)
}

/**
 * The whole array is looked at before anything is decided: the cause may stand behind a pushed disconnect. Failures of
 * the request's own messages count for a connect only; other requests answer for each message. [PROTOCOL F1, F2]
 */
export function findings({ meta, events }: Decoded, request: string): Findings {
  const faults = meta.filter(isFailure).map((message) => ({ message, fault: messageFault(message, request) }))
  const sessionFault = faults.find(({ fault }) => grave.includes(fault.kind))
  const found = request === 'connect' ? (faults.find(({ message }) => isConnectReply(message)) ?? sessionFault ?? faults[0]) : sessionFault
  const advises = ({ advice, successful }: BayeuxMessage): boolean => advice !== undefined && successful !== false
  return {
    fault: found?.fault,
    advice: found?.message.advice ?? (meta.find(advises) ?? events.find(advises))?.advice,
    disconnected: meta.some(({ channel, id }) => channel === '/meta/disconnect' && id === undefined),
  }
}
