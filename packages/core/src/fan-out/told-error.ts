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

const classes: Partial<Record<string, typeof SfStreamError>> = {
  login_refused: AuthenticationError,
  token_refused: AuthenticationError,
  subscribe_refused: SubscribeError,
  bad_channel: SubscribeError,
  replay_refused: ReplayError,
  client_limit: LimitError,
  event_limit: LimitError,
}

/** What is told, as an error again: the class by its name, else by its code. */
export function toldError(told: ToldError | undefined, channel?: string): SfStreamError {
  const text = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise)
  const code = text(told?.code, 'server_stopped') as ErrorCode
  return new (named.find(({ brand }) => brand === told?.name) ?? classes[code] ?? SfStreamError)({
    code,
    message: text(told?.message, 'It was refused without a word.'),
    remediation: text(told?.remediation, 'Look there for the reason.'),
    retryable: told?.retryable === true,
    ...(channel === undefined ? {} : { channel }),
  })
}

const named = [AuthenticationError, HandshakeError, LimitError, ProtocolError, ReplayError, StateError, SubscribeError, TransportError]

export function tell(error: unknown): ToldError {
  if (!(error instanceof SfStreamError)) return { message: String(error) }
  const { name, code, message, remediation, retryable, channel } = error
  return { name, code, message, remediation, retryable, ...(channel === undefined ? {} : { channel }) }
}
