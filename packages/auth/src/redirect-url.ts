import { AuthenticationError } from '@sfstream/core'
import { isLoopback, required } from '@sfstream/core/internal'

/**
 * Checks a callback URL: https, an app's own scheme, or http on this machine; no fragment. Its text goes to Salesforce as it was
 * given, because that compares letter by letter.
 * @throws AuthenticationError `missing_credential`, `bad_option`
 */
export function redirectUrl(value: string | URL): { text: string; url: URL } {
  const text = value instanceof URL ? value.href : value
  required('authorizationCode', { redirectUri: text })
  const refuse = (why: string): AuthenticationError =>
    new AuthenticationError({
      code: 'bad_option',
      message: `authorizationCode: \`redirectUri\` ${why}.`,
      remediation: "Pass one of the app's callback URLs, such as https://app.example/callback or http://localhost:1717/callback.",
    })
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw refuse('is not a URL')
  }
  if (text.includes('#')) throw refuse('has a fragment, which never reaches a server')
  if (url.username || url.password) throw refuse('carries credentials')
  if (/^(?:javascript|data|blob|about):$/.test(url.protocol)) throw refuse(`uses ${url.protocol}, where no login page goes`)
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) throw refuse('uses http: beyond this machine, where others can read the code')
  return { text, url }
}
