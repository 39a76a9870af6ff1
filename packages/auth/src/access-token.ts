import { AuthenticationError, type AuthProvider, type OrgSession, SfStreamError } from '@sfstream/core'
import { checkedSession, isSameSession } from '@sfstream/core/internal'
import { safeCause } from './redact.ts'
import { sessionCache } from './session-cache.ts'

export interface AccessTokenOptions {
  accessToken: string
  /** The host the token is good for, such as `https://acme.my.salesforce.com`. */
  instanceUrl: string
  /** Called when the org refused a token; resolves with another one. Without it a refused token is final. */
  refresh?: (rejected: OrgSession) => Promise<OrgSession>
}

/**
 * A token obtained elsewhere. Makes no request of its own.
 * @throws AuthenticationError `missing_credential`, `jwt_access_token`, `bad_instance_url`, `bad_option`
 */
export function accessToken(options: AccessTokenOptions): AuthProvider {
  const initial = checkedSession(options, 'accessToken')
  const { refresh } = options

  return sessionCache(async ({ rejected = initial }) => {
    if (!refresh) {
      throw new AuthenticationError({
        code: 'token_refused',
        message: `${new URL(rejected.instanceUrl).host} refused the access token, and nothing gives another.`,
        remediation: 'Pass `refresh` to accessToken(), or a flow that logs in again, such as clientCredentials().',
      })
    }
    let answer: OrgSession
    try {
      answer = await refresh({ ...rejected })
    } catch (error) {
      if (error instanceof SfStreamError) throw error
      throw new AuthenticationError({
        code: 'login_unavailable',
        message: '`refresh` failed: there is no token.',
        remediation: 'See `cause`; throw an AuthenticationError that is not retryable to give up.',
        retryable: true,
        cause: safeCause(error, [rejected.accessToken]),
      })
    }
    const session = checkedSession(answer, 'refresh')
    if (isSameSession(session, rejected)) {
      throw new AuthenticationError({
        code: 'token_refused',
        message: '`refresh` answered with the token the org has just refused.',
        remediation: 'Let `refresh` obtain another: it gets the refused session.',
      })
    }
    return session
  }, initial)
}
