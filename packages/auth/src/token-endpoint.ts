import { AuthenticationError, type Platform } from '@sfstream/core'
import { deadlineReached, readText, withDeadline } from '@sfstream/core/internal'
import { createFetch } from 'ofetch'
import { safeCause } from './redact.ts'
import { tokenFault } from './token-fault.ts'
import { readTokenReply, type TokenReply } from './token-reply.ts'

export interface TokenRequest {
  host: URL
  form: Readonly<Record<string, string>>
  /** What must never show in an error. */
  secrets: readonly string[]
  signal: AbortSignal
  platform: Platform
}

const deadlineMs = 30_000
/** A token reply is about 1 KB; an error page of a proxy may be larger. */
const maxReplyBytes = 1_048_576

/**
 * One POST to `<host>/services/oauth2/token`. Never tried again here and never redirected: that is the client's decision, and
 * credentials go to one host only.
 *
 * @throws AuthenticationError `login_refused`; `login_unavailable` (retryable); `redirected`, `bad_login_url` where the host is not a login host
 */
export async function requestToken(request: TokenRequest): Promise<TokenReply> {
  const { host, secrets, signal } = request
  const unavailable = (why: string, details: { cause?: unknown; status?: number } = {}): AuthenticationError =>
    new AuthenticationError({
      code: 'login_unavailable',
      message: `${host.host} ${why}.`,
      remediation: 'Try again after a pause; check the network, the proxy and https://status.salesforce.com if it lasts.',
      retryable: true,
      ...(details.status === undefined ? {} : { server: { text: '', status: details.status } }),
      ...(details.cause === undefined ? {} : { cause: safeCause(details.cause, secrets) }),
    })

  let response: Answer
  try {
    response = await withDeadline(deadlineMs, request, (own) => post(request, own))
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error === deadlineReached) throw unavailable(`did not answer within ${deadlineMs / 1000} s`)
    // ofetch wraps what fetch threw; the wrapper refers to the request and its body.
    const cause = error instanceof Error && error.name === 'FetchError' && error.cause !== undefined ? error.cause : error
    throw unavailable('could not be reached', { cause })
  }

  const { status, text } = response
  if (response.redirect !== undefined) throw redirected(host, response.redirect, status)
  if (text === undefined) throw unavailable(`answered HTTP ${status} with more than ${maxReplyBytes} bytes`, { status })
  const read = readTokenReply(text)
  switch (read.kind) {
    case 'refusal':
      throw tokenFault({ error: read.error, description: read.description, status }, host.host, secrets)
    case 'unreadable':
      if (status === 404 || status === 405) {
        throw new AuthenticationError({
          code: 'bad_login_url',
          message: `${host.host} has no token endpoint (HTTP ${status}, ${read.why}).`,
          remediation: 'Check `loginUrl`: use the My Domain URL, such as https://acme.my.salesforce.com.',
          server: { text: '', status },
        })
      }
      throw unavailable(`answered HTTP ${status} with ${read.why}`, { status })
    case 'token':
      if (status !== 200) throw unavailable(`answered HTTP ${status} to a login`, { status })
      return read.reply
  }
}

interface Answer {
  status: number
  /** Undefined when it grew past the cap. */
  text: string | undefined
  /** Where a redirect points, `''` where the runtime does not tell. */
  redirect?: string
}

async function post({ host, form, platform }: TokenRequest, signal: AbortSignal): Promise<Answer> {
  const call = createFetch({ fetch: ((input: string, init?: RequestInit) => platform.fetch(input, init)) as typeof fetch })
  const response = await call.raw(`${host.href.replace(/\/$/, '')}/services/oauth2/token`, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
    redirect: 'manual',
    retry: false,
    ignoreResponseError: true,
    responseType: 'stream',
    signal,
  })
  const body: ReadableStream<Uint8Array> | undefined = response._data
  // Browsers hide a redirect behind an opaque response of status 0.
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    body?.cancel().catch(() => {})
    return { status: response.status, text: '', redirect: response.headers.get('location') ?? '' }
  }
  return { status: response.status, text: await readText(body, maxReplyBytes) }
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
