import { AuthenticationError, type Platform, type ServerFault } from '@sfstream/core'
import { deadlineReached, readText, reasonOf, retryAfterMs, withDeadline } from '@sfstream/core/internal'
import { createFetch } from 'ofetch'
import { redact, safeCause } from './redact.ts'

export interface LoginRequest {
  host: URL
  /** Below the host, such as `/services/oauth2/token`. */
  path: string
  headers: Readonly<Record<string, string>>
  body: string
  /** What must never show in an error. */
  secrets: readonly string[]
  signal: AbortSignal
  platform: Platform
}

/** What came with an answer. */
export interface Told {
  status: number
  retryAfterMs: number | undefined
}

export interface LoginAnswer extends Told {
  text: string
}

const deadlineMs = 30_000
/** A login reply is about 1 KB; an error page of a proxy may be larger. */
const maxReplyBytes = 1_048_576

/**
 * One POST with credentials. Never tried again here and never redirected: that is the client's decision, and credentials go to
 * one host only.
 *
 * @throws AuthenticationError `login_unavailable` (retryable), `redirected`
 */
export async function postLogin(request: LoginRequest): Promise<LoginAnswer> {
  const { host, secrets, signal } = request
  let answer: RawAnswer
  try {
    answer = await withDeadline(deadlineMs, request, (own) => post(request, own))
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error === deadlineReached) throw unavailable(host, `did not answer within ${deadlineMs / 1000} s`)
    // ofetch wraps what fetch threw; the wrapper refers to the request and its body.
    const cause = error instanceof Error && error.name === 'FetchError' && error.cause !== undefined ? error.cause : error
    throw unavailable(host, `could not be reached: ${redact(reasonOf(cause), secrets)}`, { cause: safeCause(cause, secrets) })
  }
  const { text, redirect, ...told } = answer
  const { status } = told
  if (redirect !== undefined) throw redirected(host, redirect, status)
  if (text === undefined) throw unavailable(host, `answered HTTP ${status} with more than ${maxReplyBytes} bytes`, { told })
  return { ...told, text }
}

/** The part of an error that says what the server said. */
export function serverFault(told: Partial<Told>, words: { error?: string; text: string } = { text: '' }): ServerFault {
  const { status, retryAfterMs } = told
  return { ...words, ...(status === undefined ? {} : { status }), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/** A failure that may pass; a `cause` must be safe to print. */
export function unavailable(host: URL, why: string, details: { cause?: Error; told?: Told } = {}): AuthenticationError {
  return new AuthenticationError({
    code: 'login_unavailable',
    message: `${host.host} ${why}.`,
    remediation: 'Try again after a pause; check the network, the proxy and https://status.salesforce.com if it lasts.',
    retryable: true,
    ...(details.told === undefined ? {} : { server: serverFault(details.told) }),
    ...(details.cause === undefined ? {} : { cause: details.cause }),
  })
}

/** A reply in no form the endpoint has: there is none (404, 405), or something stands in front of it. */
export function unreadable(host: URL, endpoint: string, told: Told, why: string): AuthenticationError {
  const { status } = told
  if (status !== 404 && status !== 405) return unavailable(host, `answered HTTP ${status} with ${why}`, { told })
  return new AuthenticationError({
    code: 'bad_login_url',
    message: `${host.host} has no ${endpoint} (HTTP ${status}, ${why}).`,
    remediation: 'Check `loginUrl`: use the My Domain URL, such as https://acme.my.salesforce.com.',
    server: { text: '', status },
  })
}

/** What a body that cannot be read looks like. */
export function kindOf(text: string, wanted: string): string {
  if (text.trim() === '') return 'an empty body'
  return /^\s*<(?:!doctype html|html)/i.test(text) ? 'an HTML page' : `a body that is not ${wanted}`
}

interface RawAnswer extends Told {
  /** Undefined when it grew past the cap. */
  text: string | undefined
  /** Where a redirect points, `''` where the runtime does not tell. */
  redirect?: string
}

async function post({ host, path, headers, body, platform }: LoginRequest, signal: AbortSignal): Promise<RawAnswer> {
  const call = createFetch({ fetch: ((input: string, init?: RequestInit) => platform.fetch(input, init)) as typeof fetch })
  const response = await call.raw(`${host.href.replace(/\/$/, '')}${path}`, {
    method: 'POST',
    headers,
    body,
    redirect: 'manual',
    retry: false,
    ignoreResponseError: true,
    responseType: 'stream',
    signal,
  })
  const stream: ReadableStream<Uint8Array> | undefined = response._data
  // Browsers hide a redirect behind an opaque response of status 0.
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    stream?.cancel().catch(() => {})
    return { status: response.status, retryAfterMs: undefined, text: '', redirect: response.headers.get('location') ?? '' }
  }
  const { status, headers: received } = response
  const now = Date.parse(received.get('date') ?? '') || platform.now()
  return {
    status,
    retryAfterMs: retryAfterMs(received.get('retry-after') ?? undefined, now),
    text: await readText(stream, maxReplyBytes),
  }
}

/** Names the target's host only: a location may carry anything in its query. */
function redirected(host: URL, location: string, status: number): AuthenticationError {
  let target = 'elsewhere'
  try {
    if (location) target = `to ${new URL(location, host).host}`
  } catch {
    // Not a URL: 'elsewhere' says enough.
  }
  return new AuthenticationError({
    code: 'redirected',
    message: `${host.host} redirects the login ${target}; credentials do not follow.`,
    remediation: 'Set `loginUrl` to the host that serves the login itself, such as the present My Domain URL.',
    server: { text: '', status },
  })
}
