import { untilAborted } from '../../async/until-aborted.ts'
import type { AuthProvider, OrgSession } from '../../auth-provider.ts'
import { checkedSession } from '../../checked-session.ts'
import { AuthenticationError, SfStreamError, textOf } from '../../errors.ts'
import type { BayeuxOptions } from '../../options.ts'
import type { Platform } from '../../platform.ts'

/** The token in hand, and how to get another. */
export interface Tokens {
  readonly current: OrgSession | undefined
  /**
   * A token; with `refused`, another than the one in hand.
   * @throws AuthenticationError; where no other token is to be had, `refused` itself
   */
  get(signal: AbortSignal, refused?: SfStreamError): Promise<OrgSession>
}

export function tokens(auth: BayeuxOptions['auth'], platform: Platform): Tokens {
  if (!auth || (typeof auth !== 'function' && typeof auth !== 'object')) {
    throw new AuthenticationError({
      code: 'missing_credential',
      message: '`auth` is missing.',
      remediation: 'Pass an auth provider, or { accessToken, instanceUrl }.',
    })
  }
  const fixed = 'accessToken' in auth ? checkedSession(auth, 'auth') : undefined
  let current: OrgSession | undefined
  /** Refused by the org, and not replaced since: a later start must not begin with it. */
  let rejected: OrgSession | undefined

  const fetchSession = (signal: AbortSignal): Promise<OrgSession> => {
    if (typeof auth === 'function') return auth()
    return (auth as AuthProvider).getSession({ signal, platform, ...(rejected ? { rejected } : {}) })
  }

  return {
    get current() {
      return current
    },
    async get(signal, refused) {
      if (refused) rejected = current
      else if (current && current !== rejected) return current
      if (fixed) {
        if (refused) throw refused
        current = fixed
        return fixed
      }
      let session: OrgSession
      try {
        session = checkedSession(await untilAborted(fetchSession(signal), signal), 'auth')
      } catch (error) {
        if (signal.aborted || error instanceof SfStreamError) throw error
        throw new AuthenticationError({
          code: 'login_refused',
          message: `The auth provider failed: ${textOf(error)}.`,
          remediation: 'See the cause; a provider marks passing failures as retryable.',
          cause: error,
        })
      }
      // The same bad token again would only be refused again. [PROTOCOL F4]
      if (refused && current?.accessToken === session.accessToken) throw refused
      current = session
      rejected = undefined
      return session
    },
  }
}
