import type { BayeuxMessage } from '@sfstream/core'

/** A message as the server writes it; `replayId`s may be bigints. */
export type Reply = BayeuxMessage

interface Failure {
  error: string
  failureReason?: string | undefined
  reconnect?: 'none' | 'handshake' | 'retry' | undefined
  /** Facts 3.1: denied handshakes have no interval in their advice, other failures have. */
  interval?: boolean
  clientId?: string | undefined
}

export function success(message: BayeuxMessage, fields: BayeuxMessage = {}): Reply {
  return { ...fields, channel: message.channel ?? '', ...echoed(message), successful: true }
}

export function failure(message: BayeuxMessage, { error, failureReason, reconnect, interval = true, clientId }: Failure): Reply {
  const handshake = message.channel === '/meta/handshake'
  return {
    ...(clientId === undefined ? {} : { clientId }),
    ...(failureReason === undefined ? {} : { ext: { sfdc: { failureReason }, ...(handshake ? replayExtension : {}) } }),
    ...(reconnect === undefined ? {} : { advice: interval ? { interval: 0, reconnect } : { reconnect } }),
    channel: message.channel ?? '',
    ...echoed(message),
    ...(message.subscription === undefined ? {} : { subscription: message.subscription }),
    error,
    successful: false,
  }
}

/** `payload.format` is one key with a dot in it. */
export const replayExtension = { replay: true, 'payload.format': true }

function echoed(message: BayeuxMessage): BayeuxMessage {
  return message.id === undefined ? {} : { id: message.id }
}
