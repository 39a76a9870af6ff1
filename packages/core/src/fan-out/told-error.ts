import {
  AuthenticationError,
  type ErrorCode,
  HandshakeError,
  LimitError,
  ProtocolError,
  ReplayError,
  SfStreamError,
  StateError,
  SubscribeError,
  TransportError,
} from '../errors.ts'

/** An error as it is told across a boundary that only carries data. */
export interface ToldError {
  code?: unknown
  message?: unknown
  remediation?: unknown
  retryable?: unknown
  channel?: unknown
  name?: unknown
}

/** What is told, as an error again. */
export function toldError(told: ToldError | undefined, channel?: string): SfStreamError {
  const text = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise)
  const code = text(told?.code, 'server_stopped') as ErrorCode
  return new (classes.find(({ brand }) => brand === told?.name) ?? SfStreamError)({
    code,
    message: text(told?.message, 'It was refused without a word.'),
    remediation: text(told?.remediation, 'Look there for the reason.'),
    retryable: told?.retryable === true,
    ...(channel === undefined ? {} : { channel }),
  })
}

const classes = [AuthenticationError, HandshakeError, LimitError, ProtocolError, ReplayError, StateError, SubscribeError, TransportError]

export function tell(error: unknown): ToldError {
  if (!(error instanceof SfStreamError)) return { message: String(error) }
  const { name, code, message, remediation, retryable, channel } = error
  return { name, code, message, remediation, retryable, ...(channel === undefined ? {} : { channel }) }
}
