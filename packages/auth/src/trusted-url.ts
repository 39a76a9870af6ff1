import { AuthenticationError, type ErrorCode } from '@sfstream/core'
import { instanceUrl } from '@sfstream/core/internal'
import { isLoopback } from './loopback.ts'

/**
 * A URL fit to receive credentials: https (http on loopback only), no credentials of its own, no Lightning or Setup page.
 * What does not read as a URL is not repeated in the message: it may be a token in the wrong field.
 * @throws AuthenticationError with `code`
 */
export function trustedUrl(value: string | URL, option: string, code: Extract<ErrorCode, 'bad_login_url' | 'bad_instance_url'>): URL {
  const refuse = (why: string, remediation: string): AuthenticationError =>
    new AuthenticationError({ code, message: `${option} ${why}.`, remediation })
  const example = 'Use the My Domain URL, such as https://acme.my.salesforce.com.'

  let url: URL
  try {
    url = new URL(value)
  } catch {
    const host = /^([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,10})(?:\/|$)/.exec(String(value))?.[1]
    throw host ? refuse(`'${host}' has no scheme`, `Use https://${host}.`) : refuse('is not a URL', example)
  }
  if (url.username || url.password)
    throw refuse(`for ${url.host} carries credentials`, 'Pass credentials in their own options, never in a URL.')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    throw refuse(`uses ${url.protocol}//, which is not safe for credentials`, `${example} http:// is accepted for loopback only.`)
  }
  try {
    instanceUrl(url.origin, option)
  } catch (error) {
    if (!(error instanceof AuthenticationError)) throw error
    throw new AuthenticationError({ code, message: error.message, remediation: error.remediation })
  }
  return url
}
