/**
 * Errors are part of the API: a stable `code` from a closed union, a message with the values, and the first thing to
 * do. Codes and their meaning: PROTOCOL.md, "Error codes". Long explanations: `@sfstream/core/explain`.
 */

export type ErrorCode =
  // what the caller passed in
  | 'bad_channel'
  | 'bad_option'
  | 'bad_replay'
  | 'bad_api_version'
  | 'bad_instance_url'
  | 'bad_login_url'
  | 'missing_credential'
  | 'jwt_access_token'
  // what the caller did
  | 'already_consumed'
  | 'channel_in_use'
  | 'reserved_channel'
  | 'not_started'
  | 'client_stopped'
  // what the org or the network did
  | 'authorization_needed'
  | 'bad_callback'
  | 'login_refused'
  | 'login_unavailable'
  | 'token_refused'
  | 'handshake_refused'
  | 'no_common_transport'
  | 'session_lost'
  | 'subscribe_refused'
  | 'replay_refused'
  | 'client_limit'
  | 'event_limit'
  | 'server_busy'
  | 'request_too_large'
  | 'request_refused'
  | 'network'
  | 'timeout'
  | 'http_status'
  | 'redirected'
  | 'bad_reply'
  | 'message_too_large'
  | 'server_stopped'
  | 'invalid_event'
  | 'store_unreadable'
  | 'store_failed'

/** What the server said, taken apart: `error` as `code:args:text`, and the real cause Salesforce puts in `ext.sfdc.failureReason`. */
export interface ServerFault {
  code?: number
  args?: readonly string[]
  text: string
  failureReason?: string
  /** OAuth errors: Salesforce's own `error`; the description is `text`. */
  error?: string
  /** HTTP status, where the refusal had one of its own. */
  status?: number
  /** How long it asked to wait; a login is not tried again sooner. */
  retryAfterMs?: number
}

export interface ErrorDetails {
  code: ErrorCode
  message: string
  /** The first thing to do. */
  remediation: string
  retryable?: boolean
  channel?: string
  server?: ServerFault
  cause?: unknown
}

const brand = Symbol.for('sfstream.error')

/**
 * The base of every error sfstream raises. `instanceof` works across copies of the package (an ESM and a CommonJS
 * build in one process, two versions in one tree).
 */
export class SfStreamError extends Error {
  static readonly brand: string = 'SfStreamError'
  readonly code: ErrorCode
  readonly remediation: string
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean
  readonly channel: string | undefined
  readonly server: ServerFault | undefined

  constructor(details: ErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = (new.target as typeof SfStreamError).brand
    this.code = details.code
    this.remediation = details.remediation
    this.retryable = details.retryable ?? false
    this.channel = details.channel
    this.server = details.server
    Object.defineProperty(this, brand, { value: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    const error = value as { readonly [brand]?: unknown; readonly name?: unknown } | null | undefined
    // Inherited: `this` is the class asked about.
    // biome-ignore lint/complexity/noThisInStatic: with the base class in its place every error would be every class.
    return error?.[brand] === true && (this.brand === 'SfStreamError' || error.name === this.brand)
  }
}

export class AuthenticationError extends SfStreamError {
  static override readonly brand: string = 'AuthenticationError'
}
export class HandshakeError extends SfStreamError {
  static override readonly brand: string = 'HandshakeError'
}
export class SubscribeError extends SfStreamError {
  static override readonly brand: string = 'SubscribeError'
}
export class ReplayError extends SfStreamError {
  static override readonly brand: string = 'ReplayError'
}
export class LimitError extends SfStreamError {
  static override readonly brand: string = 'LimitError'
}
export class TransportError extends SfStreamError {
  static override readonly brand: string = 'TransportError'
}
export class ProtocolError extends SfStreamError {
  static override readonly brand: string = 'ProtocolError'
}
export class StateError extends SfStreamError {
  static override readonly brand: string = 'StateError'
}

/** What a caller passed cannot be; `remediation`: what to pass. */
export function badOption(what: string, remediation: string, cause?: unknown): SfStreamError {
  return new SfStreamError({ code: 'bad_option', message: `${what}.`, remediation, cause })
}

/** What was thrown or given, for a message: some values cannot be made text (`{ toString: [] }`). */
export function textOf(value: unknown): string {
  try {
    return value instanceof Error ? value.message : String(value)
  } catch {
    return `an ${typeof value} that has no text`
  }
}
