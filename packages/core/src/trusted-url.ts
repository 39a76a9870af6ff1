import { AuthenticationError, type ErrorCode } from './errors.ts'
import { isLoopback } from './loopback.ts'

/**
 * A URL fit to receive credentials: https (http on loopback only), no credentials of its own, no Lightning or Setup page, which are
 * what people paste from the address bar and serve no API. What does not read as a URL is not repeated: it may be a token.
 * @throws AuthenticationError with `code`
 */
export function trustedUrl(
  value: string | URL,
  option: string,
  code: Extract<ErrorCode, 'bad_login_url' | 'bad_instance_url'> = 'bad_instance_url',
): URL {
  const example = 'Use the My Domain URL, such as https://acme.my.salesforce.com.'
  const refuse = (why: string, remediation = example): AuthenticationError =>
    new AuthenticationError({ code, message: `${option} ${why}.`, remediation })
  let url: URL
  try {
    url = new URL(value)
  } catch {
    const host = /^([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,10})(?:\/|$)/.exec(String(value))?.[1]
    throw host ? refuse(`'${host}' has no scheme`, `Use https://${host}.`) : refuse('is not a URL')
  }
  const { host, hostname, protocol } = url
  if (url.username || url.password)
    throw refuse(`for ${host} carries credentials`, 'Pass credentials in their own options, never in a URL.')
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname)))
    throw refuse(`uses ${protocol}//, which is not safe for credentials`, `${example} http:// is accepted for loopback only.`)
  const lightning = /^(.*)\.lightning\.force\.com$/.exec(hostname)
  if (lightning) throw refuse(`${host} is a Lightning page, which serves no API`, `Use https://${lightning[1]}.my.salesforce.com instead.`)
  if (hostname.endsWith('.salesforce-setup.com')) throw refuse(`${host} is a Setup page, which serves no API`)
  return url
}
