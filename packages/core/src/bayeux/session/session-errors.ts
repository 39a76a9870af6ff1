import { HandshakeError, SfStreamError, StateError, TransportError, textOf } from '../../errors.ts'

/** Why requests of a session that is over are void. */
export const interrupted = new TransportError({
  code: 'network',
  message: 'The session was interrupted.',
  remediation: 'Send it again.',
  retryable: true,
})

/** Whatever a transport or provider threw, as one of ours. */
export function knownError(error: unknown): SfStreamError {
  if (error instanceof SfStreamError) return error
  return new TransportError({
    code: 'network',
    message: `The transport failed: ${textOf(error)}.`,
    remediation: 'See the cause.',
    retryable: true,
    cause: error,
  })
}

export function brokenOff(): TransportError {
  return new TransportError({
    code: 'network',
    message: 'The reply broke off.',
    remediation: 'Nothing: the rest is asked for again.',
    retryable: true,
  })
}

export function noReply(request = 'connect'): TransportError {
  return new TransportError({
    code: 'bad_reply',
    message: `The reply to a ${request} holds no answer to it.`,
    remediation: 'Check what stands between client and org.',
    retryable: true,
  })
}

export function notAnswered(): HandshakeError {
  return new HandshakeError({
    code: 'session_lost',
    message: 'The session was lost before an answer came.',
    remediation: 'Send it again.',
    retryable: true,
  })
}

export function notStarted(): StateError {
  return new StateError({ code: 'not_started', message: 'The client is not started.', remediation: 'Call start() or subscribe() first.' })
}
