import type { AuthProvider, OrgSession, Platform } from '@sfstream/core'
import { AuthenticationError } from '@sfstream/core'
import { checkedSession, isSameSession, providerFailed, singleFlight } from '@sfstream/core/internal'

export type Auth = AuthProvider | OrgSession | (() => Promise<OrgSession>)

/** The session in use; `rejected` names one the org refused, and gets another. */
export type SessionSource = (signal: AbortSignal, rejected?: OrgSession) => Promise<OrgSession>

/**
 * Keeps the session between requests, so that a provider without a memory of its own is not asked for each of them.
 * @throws AuthenticationError of the provider; `token_refused` where there is no other session
 */
export function sessionSource(auth: Auth, platform: Platform): SessionSource {
  const provider = asProvider(auth)
  let current: OrgSession | undefined
  let refused: OrgSession | undefined
  const fly = singleFlight(async (signal) => {
    try {
      current = checkedSession(await provider.getSession({ signal, platform, ...(refused ? { rejected: refused } : {}) }), 'auth', true)
    } catch (error) {
      throw signal.aborted ? error : providerFailed(error)
    }
    refused = undefined
    return current
  })
  return (signal, rejected) => {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (current && isSameSession(current, rejected)) {
      refused = current
      current = undefined
    }
    return current ? Promise.resolve(current) : fly(signal)
  }
}

function asProvider(auth: Auth): AuthProvider {
  if (typeof auth === 'function') return { getSession: () => auth() }
  if (typeof auth !== 'object' || auth === null) {
    throw new AuthenticationError({
      code: 'missing_credential',
      message: `createRestClient: \`auth\` is ${auth === undefined || auth === null ? 'missing' : `a ${typeof auth}`}.`,
      remediation: 'Pass an auth provider, such as clientCredentials() of @sfstream/auth, or { accessToken, instanceUrl }.',
    })
  }
  if ('getSession' in auth) return auth
  return {
    getSession: ({ rejected }) =>
      rejected
        ? Promise.reject(
            new AuthenticationError({
              code: 'token_refused',
              message: `${new URL(rejected.instanceUrl).host} refused the access token, and there is no way to get another one.`,
              remediation: 'Pass an auth provider, such as clientCredentials() of @sfstream/auth, instead of a fixed session.',
            }),
          )
        : Promise.resolve(auth),
  }
}
