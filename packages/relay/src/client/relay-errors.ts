import { AuthenticationError, type ErrorCode, type SfStreamError, TransportError } from '@sfstream/core'
import { readText, type ToldError, toldError } from '@sfstream/core/internal'

/** Longer ones are no words of a relay. */
const maxAnswerBytes = 1_048_576

/** What went wrong between this client and its relay. It is tried again, unless `remediation` names what has to be done first. */
export function relayError(
  url: URL,
  code: ErrorCode,
  what: string,
  { kind = TransportError, remediation, cause }: { kind?: typeof SfStreamError; remediation?: string; cause?: unknown } = {},
): SfStreamError {
  return new kind({
    code,
    message: `The relay at ${url.origin}${url.pathname} ${what}.`,
    remediation: remediation ?? 'It is tried again by itself.',
    retryable: remediation === undefined,
    cause,
  })
}

/** What a response says that is no stream; nothing where it is not the relay's own words, but a proxy's or none. */
export async function answerOf(response: Response): Promise<{ org?: unknown; error?: ToldError | null }> {
  const text = await readText(response.body ?? undefined, maxAnswerBytes)
  try {
    return Object(JSON.parse(text ?? ''))
  } catch {
    return {}
  }
}

export async function refusal(response: Response, url: URL): Promise<SfStreamError> {
  const { status, type } = response
  // A browser shows nothing of it but its type.
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    const remediation = 'Pass the URL that it redirects to, if you trust it.'
    return relayError(url, 'redirected', 'redirects elsewhere, which is not followed: your headers are for the relay alone', {
      remediation,
    })
  }
  const { error: told } = await answerOf(response)
  if (status === 403 && typeof told?.channel === 'string') return toldError(told, told.channel)
  const answered = `answered ${status}${typeof told?.message === 'string' ? ` (${told.message})` : ''}`
  if (status === 401) {
    const remediation = 'Sign in, or pass `headers` that the relay accepts.'
    return relayError(url, 'login_refused', answered, { kind: AuthenticationError, remediation })
  }
  const isPassing = status >= 500 || status === 408 || status === 429
  return relayError(url, 'http_status', answered, isPassing ? {} : { remediation: 'Check the URL of the relay.' })
}

/** Seconds or a date, in milliseconds; 0 where there is neither. */
export function retryAfterMs(response: Response, now: number): number {
  const text = response.headers.get('retry-after') ?? ''
  return Number(text) * 1_000 || Date.parse(text) - now || 0
}
