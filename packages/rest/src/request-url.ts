import { StateError } from '@sfstream/core'
import type { RestRequest } from './rest-request.ts'

/**
 * The URL of a path: `/services/…` from the instance's root, a full URL of the same origin, anything else below the versioned
 * base (`sobjects/X__e` and `/sobjects/X__e` alike).
 *
 * @throws StateError `bad_option` where the token would leave the instance
 */
export function requestUrl(path: string, query: RestRequest['query'], instanceUrl: string, base: string): URL {
  const origin = new URL(instanceUrl).origin
  const url = parse(path, origin, base)
  if (!url || url.origin !== origin) {
    throw new StateError({
      code: 'bad_option',
      message: url ? `The path leads to ${url.host}, not to ${new URL(origin).host}.` : 'The path is not a URL.',
      remediation: `Use a path such as 'limits' or '/services/apexrest/…'; the token is sent to the org's instance only.`,
    })
  }
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.append(name, String(value))
  }
  return url
}

/** Whether a path needs the versioned base. */
export function isRelative(path: string): boolean {
  return !isAbsolute(path) && !isRooted(path)
}

const isAbsolute = (path: string): boolean => /^[a-z][a-z\d+.-]*:/i.test(path)
const isRooted = (path: string): boolean => /^\/services(?:[/?]|$)/.test(path)

function parse(path: string, origin: string, base: string): URL | undefined {
  // Joined as text, never resolved: `//host` and `\\host` would name another one.
  const text = isAbsolute(path) ? path : isRooted(path) ? `${origin}${path}` : `${origin}${base}/${path.replace(/^\/+/, '')}`
  try {
    const url = new URL(text)
    return url.username || url.password ? undefined : url
  } catch {
    return undefined
  }
}
