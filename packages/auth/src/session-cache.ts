import type { AuthProvider, OrgSession, Platform } from '@sfstream/core'
import { isSameSession, singleFlight } from '@sfstream/core/internal'

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
  return settableSessionCache(login, initial).provider
}

/** The same, with a way to put a session there that was obtained otherwise. */
export function settableSessionCache(
  login: (context: LoginContext) => Promise<OrgSession>,
  initial?: OrgSession,
): { provider: AuthProvider; put(session: OrgSession): void } {
  let current = initial
  let refused: OrgSession | undefined
  /** What was last refused, as it was told. */
  let told: OrgSession | undefined
  let platform: Platform | undefined
  const fly = singleFlight(async (signal) => {
    const session = await login({ signal, platform: platform as Platform, rejected: refused })
    // What was put there meanwhile is newer, and may be another user's.
    if (current) return current
    current = session
    refused = undefined
    return session
  })
  const provider: AuthProvider = {
    getSession: (context) => {
      if (context.signal.aborted) return Promise.reject(context.signal.reason)
      const { rejected } = context
      // By its token: who hands sessions on may put an address of its own in, such as a proxy's. What was told before is dealt with,
      // even where the org has moved and kept its tokens.
      if (current && current.accessToken === rejected?.accessToken && !isSameSession(rejected, told)) {
        told = rejected
        refused = current
        current = undefined
      }
      if (current) return Promise.resolve({ ...current })
      platform = context.platform
      return fly(context.signal).then((session) => ({ ...session }))
    },
  }
  return {
    provider,
    put(session) {
      current = session
      refused = undefined
    },
  }
}
