import type { AuthProvider, OrgSession, Platform } from '@sfstream/core'
import { singleFlight } from '@sfstream/core/internal'

export interface LoginContext {
  signal: AbortSignal
  platform: Platform
  /** The session the org refused, where that is why a new one is wanted. */
  rejected: OrgSession | undefined
}

/**
 * A provider that remembers its session: concurrent calls share one login, a session is reused until `rejected` names it,
 * and a `rejected` older than the session at hand costs no login. Never retries by itself.
 */
export function sessionCache(login: (context: LoginContext) => Promise<OrgSession>, initial?: OrgSession): AuthProvider {
  let current = initial
  let refused: OrgSession | undefined
  let platform: Platform | undefined
  const fly = singleFlight(async (signal) => {
    const session = await login({ signal, platform: platform as Platform, rejected: refused })
    current = session
    refused = undefined
    return session
  })
  return {
    getSession: (context) => {
      if (context.signal.aborted) return Promise.reject(context.signal.reason)
      if (current && current.accessToken === context.rejected?.accessToken) {
        refused = current
        current = undefined
      }
      if (current) return Promise.resolve({ ...current })
      platform = context.platform
      return fly(context.signal).then((session) => ({ ...session }))
    },
  }
}
