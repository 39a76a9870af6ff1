import {
  AuthenticationError,
  type ErrorDetails,
  HandshakeError,
  LimitError,
  ProtocolError,
  ReplayError,
  type ServerFault,
  type SfStreamError,
  StateError,
  SubscribeError,
  TransportError,
} from '../../errors.ts'
import type { BayeuxMessage } from './message.ts'
import { quoted } from './quoted.ts'

/** What a refusal asks for. Decided by text, never by the number alone: the numbers lie. [PROTOCOL F1] */
export type FaultKind =
  | 'unknown-client'
  | 'busy'
  | 'auth'
  | 'client-limit'
  | 'event-limit'
  | 'cookie'
  | 'other-user'
  | 'config'
  | 'replay'
  | 'moved'
  | 'forbidden'
  | 'transient'
  | 'refused'

export interface Fault {
  kind: FaultKind
  error: SfStreamError
}

/** `403:arg,arg:text` taken apart; text with further colons is kept whole. */
export function parseErrorText(text: string): Pick<ServerFault, 'code' | 'args' | 'text'> {
  const match = /^(\d{3}):([^:]*):(.*)$/s.exec(text) as [string, string, string, string] | null
  if (!match) return { text }
  const [, code, args, rest] = match
  return { code: Number(code), args: args ? args.split(',') : [], text: rest }
}

/** The refusal in a failed meta message. */
export function messageFault(message: BayeuxMessage, request: string): Fault {
  const sfdc = message.ext?.sfdc as { failureReason?: unknown } | undefined
  const failureReason = typeof sfdc?.failureReason === 'string' ? quoted(sfdc.failureReason) : undefined
  const error = quoted(message.error ?? '')
  const server: ServerFault = { ...parseErrorText(error), ...(failureReason ? { failureReason } : {}) }
  const kind = (failureReason && kindOf(failureReason)) || kindOf(error) || 'refused'
  const channel = typeof message.subscription === 'string' ? quoted(message.subscription) : undefined
  return { kind, error: errorOf(kind, request, failureReason || error || 'no reason given', server, channel) }
}

const kinds: readonly (readonly [RegExp, FaultKind])[] = [
  [/unknown client|session_unknown|not completed handshake/i, 'unknown-client'],
  [/^(412|5\d\d):|too busy|^SERVER_UNAVAILABLE|protect all customers/i, 'busy'],
  [/^401/, 'auth'],
  [/concurrent user limit/i, 'client-limit'],
  [/events daily limit|subscription limit exceeded/i, 'event-limit'],
  [/replayId .*(you provided was invalid|wasn't found)/i, 'replay'],
  [/no \S+ cookie present/i, 'cookie'],
  [/does not match the session's user/i, 'other-user'],
  [/API version|connection type/i, 'config'],
]

function kindOf(text: string): FaultKind | undefined {
  return kinds.find(([pattern]) => pattern.test(text))?.[1]
}

/** The fault of an HTTP status that came without Bayeux messages. [PROTOCOL F6] */
export function statusFault(status: number, request: string): Fault {
  const server = { status, text: `HTTP ${status}` }
  if (status === 401) return { kind: 'auth', error: errorOf('auth', request, server.text, server) }
  const kind: FaultKind =
    status === 404 || (status >= 300 && status < 400) || status === 0
      ? 'moved'
      : status === 403
        ? 'forbidden'
        : // A success without a reply, such as 204: somebody between answers in the org's place.
          status < 300 || status === 408 || status === 429 || status === 499 || status >= 500
          ? 'transient'
          : 'config'
  const details = {
    message: `The org answered the ${request} with HTTP ${status || 'redirect'}.`,
    remediation: kind === 'transient' ? 'Nothing: it is tried again.' : remedies[kind],
    retryable: kind === 'transient',
    server,
  }
  const error =
    status === 413
      ? new LimitError({ code: 'request_too_large', ...details })
      : new TransportError({ code: kind === 'moved' && status !== 404 ? 'redirected' : 'http_status', ...details })
  return { kind, error }
}

/** A failure before any reply was understood. */
export function transientFault(error: SfStreamError): Fault {
  return { kind: 'transient', error }
}

const remedies: Record<FaultKind, string> = {
  'unknown-client': 'Leave `reconnect` on: the session is made anew and resumed.',
  busy: 'Wait: the org asks for a pause of a few minutes.',
  auth: 'Check the user’s permissions and let the auth provider fetch a new token.',
  'client-limit': 'Stop other clients of this org; forgotten sessions free their slot after about two minutes.',
  'event-limit': 'Wait for the 24-hour window, or raise the org’s event delivery allocation.',
  cookie: 'Let cookies pass: a custom transport or proxy must keep those of the org.',
  'other-user': 'Use one client per user; do not share cookies between them.',
  config: 'Check `apiVersion` and `endpoint`.',
  replay: "Choose a `replayFallback`, or begin with replay: 'all' or 'new'.",
  moved: 'Check the instance URL: the org may have moved, or this is not an org.',
  forbidden: 'Check IP restrictions, API access of the user, and CORS.',
  transient: 'Check the network path to the org.',
  refused: 'Read the server’s reason; check the channel’s name and the user’s permissions.',
}

function errorOf(kind: FaultKind, request: string, reason: string, server: ServerFault, channel?: string): SfStreamError {
  const details = (code: ErrorDetails['code'], retryable = false): ErrorDetails => ({
    code,
    message: `The org refused the ${request}${channel ? ` of ${channel}` : ''}: ${reason}`,
    remediation: remedies[kind],
    retryable,
    server,
    ...(channel ? { channel } : {}),
  })
  switch (kind) {
    case 'unknown-client':
    case 'cookie':
    case 'other-user':
      return new HandshakeError(details('session_lost', true))
    case 'busy':
      return new LimitError(details('server_busy', true))
    case 'auth':
      return new AuthenticationError(details('token_refused'))
    case 'client-limit':
      return new LimitError(details('client_limit', true))
    case 'event-limit':
      return new LimitError(details('event_limit', true))
    case 'replay':
      return new ReplayError(details('replay_refused'))
    case 'config':
    case 'moved':
    case 'forbidden':
    case 'transient':
    case 'refused':
      if (request === 'subscribe') return new SubscribeError(details('subscribe_refused'))
      if (request === 'handshake') return new HandshakeError(details(kind === 'config' ? 'bad_api_version' : 'handshake_refused'))
      if (request === 'send') return new StateError(details('request_refused'))
      return new ProtocolError(details('server_stopped'))
  }
}
