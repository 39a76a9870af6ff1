import {
  AuthenticationError,
  type ErrorCode,
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

type ErrorClass = readonly [type: new (details: ErrorDetails) => SfStreamError, code: ErrorCode, retryable?: boolean]

const sessionLost: ErrorClass = [HandshakeError, 'session_lost', true]

/** What to do about each, how its texts are known, and its error where the request does not decide. The first that knows a text wins. */
const faults: Record<FaultKind, readonly [remedy: string, pattern?: RegExp, error?: ErrorClass]> = {
  'unknown-client': [
    'Leave `reconnect` on, or subscribe from the last replay id.',
    /unknown client|session_unknown|not completed handshake/i,
    sessionLost,
  ],
  busy: [
    'Wait: the org asks for a pause of a few minutes.',
    /^(412|5\d\d):|too busy|^SERVER_UNAVAILABLE|protect all customers/i,
    [LimitError, 'server_busy', true],
  ],
  auth: ['Check the user’s permissions; pass a new token, or a provider that gets one.', /^401/, [AuthenticationError, 'token_refused']],
  'client-limit': [
    'Stop other clients; forgotten sessions end after two minutes.',
    /concurrent user limit/i,
    [LimitError, 'client_limit', true],
  ],
  'event-limit': [
    'Wait for the 24-hour window, or raise the org’s event delivery allocation.',
    /events daily limit|subscription limit exceeded/i,
    [LimitError, 'event_limit', true],
  ],
  replay: [
    "Choose a `replayFallback`, or begin with replay: 'all' or 'new'.",
    /replayId .*(you provided was invalid|wasn't found)/i,
    [ReplayError, 'replay_refused'],
  ],
  cookie: ['Let a custom transport or proxy keep the org’s cookies.', /no \S+ cookie present/i, sessionLost],
  'other-user': ['Use one client per user, each with its own cookies.', /does not match the session's user/i, sessionLost],
  config: ['Check `apiVersion` and `endpoint`.', /API version|connection type/i],
  moved: ['Check the instance URL: the org may have moved, or this is not an org.'],
  forbidden: ['Check IP restrictions, API access of the user, and CORS.'],
  transient: ['Nothing: it is tried again.'],
  refused: ['Read the reason; check the channel’s name and the user’s permissions.'],
}

function kindOf(text: string | undefined): FaultKind | undefined {
  for (const kind in faults) if (text && faults[kind as FaultKind][1]?.test(text)) return kind as FaultKind
  return undefined
}

/** `403:arg,arg:text` taken apart; text with further colons is kept whole. */
export function parseErrorText(text: string): ServerFault {
  const [, code, args, rest] = /^(\d{3}):([^:]*):(.*)$/s.exec(text) ?? []
  return code ? { code: Number(code), args: args ? args.split(',') : [], text: rest as string } : { text }
}

/** The refusal in a failed meta message. */
export function messageFault(message: BayeuxMessage, request: string): Fault {
  const { failureReason: given } = (message.ext?.sfdc ?? {}) as { failureReason?: unknown }
  const failureReason = typeof given === 'string' ? quoted(given) : undefined
  const text = quoted(message.error ?? '')
  const server = parseErrorText(text)
  if (failureReason) server.failureReason = failureReason
  const channel = typeof message.subscription === 'string' ? quoted(message.subscription) : undefined
  const kind = kindOf(failureReason) ?? kindOf(text) ?? 'refused'
  return refusal(kind, request, failureReason || text || 'no reason given', server, channel)
}

/** The fault of an HTTP status that came without Bayeux messages. [PROTOCOL F6] */
export function statusFault(status: number, request: string): Fault {
  const server = { status, text: `HTTP ${status}` }
  if (status === 401) return refusal('auth', request, server.text, server)
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
    remediation: faults[kind][0],
    retryable: kind === 'transient',
    server,
  }
  const error =
    status === 413
      ? new LimitError({ code: 'request_too_large', ...details, remediation: 'Send less at once.' })
      : new TransportError({ code: kind === 'moved' && status !== 404 ? 'redirected' : 'http_status', ...details })
  return { kind, error }
}

/** A failure before any reply was understood. */
export function transientFault(error: SfStreamError): Fault {
  return { kind: 'transient', error }
}

function refusal(kind: FaultKind, request: string, reason: string, server: ServerFault, channel?: string): Fault {
  const [remediation, , known] = faults[kind]
  const [Type, code, retryable = false] = known ?? errorOfRequest(request, kind)
  const message = `The org refused the ${request}${channel ? ` of ${channel}` : ''}: ${reason}`
  return { kind, error: new Type({ code, message, remediation, retryable, server, ...(channel && { channel }) }) }
}

function errorOfRequest(request: string, kind: FaultKind): ErrorClass {
  if (request === 'subscribe') return [SubscribeError, 'subscribe_refused']
  if (request === 'handshake') return [HandshakeError, kind === 'config' ? 'bad_api_version' : 'handshake_refused']
  return request === 'send' ? [StateError, 'request_refused'] : [ProtocolError, 'server_stopped']
}
