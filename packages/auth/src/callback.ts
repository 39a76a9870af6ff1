import { AuthenticationError } from '@sfstream/core'

export type Callback = { kind: 'code'; code: string } | { kind: 'refusal'; error: string; description: string }

/**
 * What the login page sent back, once it is sure that it answers the URL that was opened. A path with a query, such as a server's
 * `request.url`, will do.
 * @throws AuthenticationError `bad_callback`; nothing of the URL is in its message
 */
export function readCallback(callbackUrl: string | URL, redirectUri: URL, state: string): Callback {
  let query: URLSearchParams
  try {
    query = new URL(callbackUrl, redirectUri).searchParams
  } catch {
    throw badCallback('is not a URL', 'Pass the whole URL that the login page came back to.')
  }
  const one = (name: string): string | undefined => {
    const values = query.getAll(name)
    if (values.length > 1) throw badCallback(`has ${values.length} times \`${name}\``, 'Authorize anew; do not use this one.')
    return values[0]
  }
  // Before anything else is believed: only who opened the URL knows its state (RFC 6749, 10.12).
  const returned = one('state')
  if (returned !== state) {
    const why = returned === undefined ? 'has no `state`' : 'has the `state` of another authorization'
    throw badCallback(
      why,
      'Pass as `pending` what authorize() gave with the URL that was opened; if that was done, do not trust the callback.',
    )
  }
  const error = one('error')
  if (error) return { kind: 'refusal', error, description: one('error_description') ?? '' }
  const code = one('code')
  if (!code) throw badCallback('has neither `code` nor `error`', 'Pass the whole URL that the login page came back to.')
  return { kind: 'code', code }
}

export function badCallback(why: string, remediation: string): AuthenticationError {
  return new AuthenticationError({ code: 'bad_callback', message: `The callback ${why}.`, remediation })
}
