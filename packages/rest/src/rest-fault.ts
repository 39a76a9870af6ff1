import { LimitError, ProtocolError, type ServerFault, SfStreamError, TransportError } from '@sfstream/core'
import * as v from 'valibot'
import type { Exchange } from './exchange.ts'

const entry = v.looseObject({ message: v.optional(v.string(), ''), errorCode: v.string(), fields: v.optional(v.array(v.string()), []) })
const oauth = v.looseObject({ error: v.string(), error_description: v.optional(v.string(), '') })

/** What an error body says: `[{"message", "errorCode", "fields"}]`, OAuth's `{"error", "error_description"}`, or nothing readable. */
export function serverFault({ status, text, retryAfterMs }: Exchange, accessToken: string | undefined): ServerFault {
  const fault = retryAfterMs === undefined ? { status } : { status, retryAfterMs }
  // A server that echoes the request must not make us print it.
  const clean = (value: string): string => (accessToken ? value.replaceAll(accessToken, '[token]') : value).slice(0, 1_000)
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return { ...fault, text: text.trimStart().startsWith('<') ? '' : clean(text).slice(0, 200) }
  }
  const listed = v.safeParse(v.union([v.pipe(v.array(entry), v.minLength(1)), entry]), body)
  if (listed.success) {
    const first = Array.isArray(listed.output) ? listed.output[0] : listed.output
    if (first) return { ...fault, error: clean(first.errorCode), text: clean(first.message), args: first.fields.map(clean) }
  }
  const refused = v.safeParse(oauth, body)
  return refused.success
    ? { ...fault, error: clean(refused.output.error), text: clean(refused.output.error_description) }
    : { ...fault, text: '' }
}

/**
 * Whether the org refused the token: 401 in any dress, or the identity service's plain-text 403. A service in Apex may answer 401 for a
 * reason of its own, after it has done something that must not be done twice: there the body has to say that it was the session.
 */
export function refusesToken({ status, text }: Exchange, path: string): boolean {
  if (status === 401) return !/^\/services\/apexrest\//i.test(path) || /\bINVALID_(?:SESSION_ID|AUTH_HEADER)\b/.test(text)
  return status === 403 && (/^\s*(?:Bad_OAuth_Token|Missing_OAuth_Token)\b/.test(text) || /"INVALID_SESSION_ID"/.test(text))
}

/** The typed error for a reply that is not a success. */
export function restFault(target: string, server: ServerFault): SfStreamError {
  const status = server.status ?? 0
  const said = [`HTTP ${status}`, server.error, server.text].filter(Boolean).join(', ')
  const message = `${target} failed (${said}).`
  const busy = (remediation: string): LimitError => new LimitError({ code: 'server_busy', message, remediation, retryable: true, server })

  switch (server.error) {
    case 'LIMIT_EXCEEDED':
      return new LimitError({
        code: 'event_limit',
        message,
        remediation:
          'The publishing allocation is used up: wait, publish less, or raise it. `limits()` shows HourlyPublishedPlatformEvents.',
        retryable: true,
        server,
      })
    case 'REQUEST_LIMIT_EXCEEDED':
      return busy(
        'The org has too many API requests, at once or in 24 hours: wait before the next call. `limits()` shows DailyApiRequests.',
      )
    case 'SERVER_UNAVAILABLE':
    case 'PLATFORM_EVENT_PUBLISHING_UNAVAILABLE':
    case 'UNABLE_TO_LOCK_ROW':
      return busy('Nothing to change: try again after a pause.')
    default:
  }
  if (status === 429 || status === 503) return busy('Try again after a pause.')
  if (status === 413) {
    return new SfStreamError({ code: 'request_too_large', message, remediation: 'Send less in one request.', server })
  }
  if (status >= 500 || status === 408) {
    return new TransportError({
      code: 'http_status',
      message,
      remediation: 'Try again after a pause. A POST may have taken effect.',
      retryable: true,
      server,
    })
  }
  if (server.error !== undefined) {
    return new SfStreamError({ code: 'request_refused', message, remediation: advice(server), server })
  }
  return new TransportError({ code: 'http_status', message, remediation: 'Check the path and the API version.', server })
}

function advice({ error, args }: ServerFault): string {
  switch (error) {
    case 'NOT_FOUND':
    case 'INVALID_TYPE':
      return 'Check the name, the API version, and that this user may see the object.'
    case 'API_DISABLED_FOR_ORG':
    case 'INSUFFICIENT_ACCESS':
    case 'INSUFFICIENT_ACCESS_OR_READONLY':
    case 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY':
      return 'Give this user the permission: "API Enabled", and Create on the event.'
    default:
      return args?.length
        ? `Check the fields ${args.join(', ')}.`
        : 'See `server.error` and `server.text`: Salesforce says what is wrong with the request.'
  }
}

/** For a success whose body is not what this call answers. */
export function badReply(target: string, why: string): ProtocolError {
  return new ProtocolError({
    code: 'bad_reply',
    message: `${target} answered with ${why}.`,
    remediation: 'Check the instance URL, and what stands between: proxies answer like this.',
  })
}
