import { type Platform, ProtocolError, StateError, TransportError } from '@sfstream/core'
import { deadlineReached, readText, reasonOf, retryAfterMs, textOf, withDeadline } from '@sfstream/core/internal'
import { createFetch } from 'ofetch'
import type { RestRequest } from './rest-request.ts'

export interface Exchange {
  status: number
  headers: Headers
  retryAfterMs: number | undefined
  text: string
}

const defaultTimeoutMs = 30_000
const maxReplyBytes = 67_108_864

/**
 * One request and its whole reply. Nothing is tried again, no redirect followed.
 *
 * @throws StateError `bad_option`; TransportError `network`, `timeout`, `redirected`; ProtocolError `message_too_large`; the signal's reason
 */
export async function exchange(
  url: URL,
  init: RestRequest,
  context: { signal: AbortSignal; platform: Platform; accessToken: string | undefined },
): Promise<Exchange> {
  const { accessToken, signal, platform } = context
  const timeoutMs = init.timeoutMs ?? defaultTimeoutMs
  const target = `${init.method ?? 'GET'} ${url.host}${url.pathname}`
  const headers = headersOf(init, target)
  // Last: a caller's own would be overwritten.
  if (accessToken !== undefined) headers.set('authorization', `Bearer ${accessToken}`)

  const call = createFetch({ fetch: ((input: string, options?: RequestInit) => platform.fetch(input, options)) as typeof fetch })
  const body = bodyOf(init, target)
  let text: string | undefined
  let response: { status: number; headers: Headers; type: string }
  try {
    ;({ response, text } = await withDeadline(timeoutMs, { signal, platform }, async (own) => {
      const answer = await call.raw(url.href, {
        method: init.method ?? 'GET',
        headers,
        ...(body === undefined ? {} : { body }),
        redirect: 'manual',
        retry: false,
        ignoreResponseError: true,
        responseType: 'stream',
        signal: own,
      })
      return { response: answer, text: await readText(answer._data, maxReplyBytes) }
    }))
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error === deadlineReached) {
      throw new TransportError({
        code: 'timeout',
        message: `${target} did not finish within ${timeoutMs} ms.`,
        remediation: 'Try again, or give the call a larger `timeoutMs`. A POST may have taken effect.',
        retryable: true,
      })
    }
    const cause = unwrapped(error)
    throw new TransportError({
      code: 'network',
      message: `${target} could not be reached: ${without(accessToken, reasonOf(cause))}.`,
      remediation: 'Check the network and the proxy, then try again. A POST may have taken effect.',
      retryable: true,
      cause: networkCause(cause, accessToken),
    })
  }

  // Browsers hide a redirect behind an opaque response of status 0. 300 lists records, 304 is an answer.
  if (response.type === 'opaqueredirect' || (response.status > 300 && response.status < 400 && response.status !== 304)) {
    throw new TransportError({
      code: 'redirected',
      message: `${target} redirects (HTTP ${response.status}); the token does not follow.`,
      remediation: 'Check the instance URL: use My Domain, such as https://acme.my.salesforce.com.',
      server: { text: '', status: response.status },
    })
  }
  if (text === undefined) {
    throw new ProtocolError({
      code: 'message_too_large',
      message: `${target} answered with more than ${maxReplyBytes} bytes.`,
      remediation: 'Ask for less at a time: fewer fields, or a LIMIT in the query.',
    })
  }
  const { status, headers: received } = response
  const now = Date.parse(received.get('date') ?? '') || platform.now()
  return { status, headers: received, retryAfterMs: retryAfterMs(received.get('retry-after') ?? undefined, now), text }
}

/** What `Headers` refuses it quotes; the value may be a secret, so the name is all that is told. */
function headersOf({ body, headers = {} }: RestRequest, target: string): Headers {
  const all = new Headers({ accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) })
  for (const [name, value] of Object.entries(headers)) {
    try {
      all.set(name, value)
    } catch {
      throw unsendable(`${target}: the header ${JSON.stringify(name)} has a name or a value that no header can have.`)
    }
  }
  return all
}

function bodyOf({ body }: RestRequest, target: string): string | undefined {
  if (body === undefined || typeof body === 'string') return body
  try {
    return JSON.stringify(body)
  } catch (error) {
    throw unsendable(`${target}: the body is no JSON: ${textOf(error)}.`)
  }
}

function unsendable(message: string): StateError {
  return new StateError({ code: 'bad_option', message, remediation: 'Nothing was sent; mend what the call was given.' })
}

/** What fetch threw: ofetch wraps it, in an error that refers to the request. */
function unwrapped(error: unknown): unknown {
  return error instanceof Error && error.name === 'FetchError' && error.cause !== undefined ? error.cause : error
}

function without(accessToken: string | undefined, text: string): string {
  return accessToken ? String(text).replaceAll(accessToken, '[token]') : String(text)
}

/** Copied without its properties, which may refer to the request, token included. */
function networkCause(inner: unknown, accessToken: string | undefined, depth = 4): Error {
  if (!(inner instanceof Error)) return new Error('Not an Error was thrown')
  const clean = (text: string): string => without(accessToken, text)
  const copy: Error & { code?: string } = new Error(clean(inner.message))
  copy.name = clean(inner.name)
  if (inner.stack) copy.stack = clean(inner.stack)
  const code: unknown = (inner as { code?: unknown }).code
  if (typeof code === 'string') copy.code = clean(code)
  if (depth > 0 && inner.cause !== undefined) copy.cause = networkCause(inner.cause, accessToken, depth - 1)
  return copy
}
