import { AuthenticationError, ProtocolError, type SfStreamError, TransportError } from '@sfstream/core'
import { deadlineReached, readText, type ToldError, toldError } from '@sfstream/core/internal'

/** What a status means: `fatal` ones are not tried again. */
export interface HttpRefusal {
  error: SfStreamError
  fatal: boolean
  /** The one channel it is about. */
  channel?: string
  retryAfterMs?: number
}

/** Longer ones are no words of a relay. */
export const maxAnswerBytes = 1_048_576

export async function httpRefusal(response: Response, url: URL, now: number): Promise<HttpRefusal> {
  const { status } = response
  let told: ToldError | undefined
  try {
    told = (JSON.parse((await readText(response.body ?? undefined, maxAnswerBytes)) ?? '') as { error?: ToldError }).error
  } catch {
    // Not the relay's own words: a proxy's, or none.
  }
  const where = `${url.origin}${url.pathname}`
  const said = typeof told?.message === 'string' ? ` (${told.message})` : ''
  const retryAfterMs = retryAfter(response.headers.get('retry-after'), now)
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  // A browser shows nothing of it but its type.
  if (response.type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    const message = `The relay at ${where} redirects elsewhere, which is not followed: your headers are for the relay alone.`
    return {
      error: new TransportError({ code: 'redirected', message, remediation: 'Pass the URL that it redirects to, if you trust it.' }),
      fatal: true,
    }
  }
  if (status === 401) {
    const message = `The relay at ${where} wants to know who asks: 401${said}.`
    return {
      error: new AuthenticationError({ code: 'login_refused', message, remediation: 'Sign in, or pass `headers` that the relay accepts.' }),
      fatal: true,
    }
  }
  if (status === 403 && typeof told?.channel === 'string') {
    return { error: toldError(told, told.channel), fatal: true, channel: told.channel }
  }
  const fatal = status < 500 && status !== 408 && status !== 429
  return {
    error: new TransportError({
      code: 'http_status',
      message: `The relay at ${where} answered ${status}${said}.`,
      remediation: fatal ? 'Check the URL of the relay.' : 'It is tried again by itself.',
      retryable: !fatal,
    }),
    fatal,
    ...wait,
  }
}

export function noRelay(url: URL, why: string): ProtocolError {
  return new ProtocolError({
    code: 'bad_reply',
    message: `${url.origin}${url.pathname} does not answer like a relay: ${why}.`,
    remediation: 'Check the URL, and that nothing in between answers in its place.',
  })
}

/** Seconds or a date; an hour at most. */
function retryAfter(text: string | null, now: number): number | undefined {
  if (text === null) return undefined
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), 3_600_000)
}

export function brokenBy(url: URL, cause: unknown): SfStreamError {
  if (cause === deadlineReached) {
    return new TransportError({
      code: 'timeout',
      message: `The relay at ${url.origin} did not answer in time.`,
      remediation: 'It is tried again by itself.',
      retryable: true,
    })
  }
  if (cause instanceof SyntaxError) return noRelay(url, 'what it sends is no JSON')
  return new TransportError({
    code: 'network',
    message: `The relay at ${url.origin} cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}.`,
    remediation: 'It is tried again by itself.',
    retryable: true,
    cause,
  })
}
