import { AuthenticationError, textOf } from './errors.ts'

/**
 * The origin to talk to. Lightning and Setup pages are what people paste from the address bar; they serve no API.
 * @throws AuthenticationError `bad_instance_url`
 */
export function instanceUrl(value: string | URL, option = 'instanceUrl'): URL {
  const refuse = (why: string, remediation: string): AuthenticationError =>
    new AuthenticationError({ code: 'bad_instance_url', message: `${option} '${shown(value)}' ${why}.`, remediation })
  const example = 'Use the My Domain URL, such as https://acme.my.salesforce.com'
  let url: URL
  try {
    url = new URL(value)
  } catch {
    throw refuse('is not a URL', `${example}.`)
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('is not an http(s) URL', `${example}.`)
  if (url.username || url.password) throw refuse('carries credentials', 'Pass credentials to the auth provider, never in a URL.')
  const lightning = /^(.*)\.lightning\.force\.com$/.exec(url.hostname)
  if (lightning) throw refuse('is a Lightning page, which serves no API', `Use https://${lightning[1]}.my.salesforce.com instead.`)
  if (/\.salesforce-setup\.com$/.test(url.hostname)) throw refuse('is a Setup page, which serves no API', `${example}.`)
  return new URL(url.origin)
}

/** Enough to recognise; a token or password pasted into the wrong field stays secret. */
function shown(value: unknown): string {
  const text = textOf(value)
  return URL.canParse?.(text) ? new URL(text).origin : text.length > 15 ? `${text.slice(0, 15)}…` : text
}
