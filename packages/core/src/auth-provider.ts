import type { Platform } from './platform.ts'

/** A token and the host it is good for. */
export interface OrgSession {
  accessToken: string
  /** `https://MyDomain.my.salesforce.com`, without a path. */
  instanceUrl: string
}

/**
 * Where tokens come from. Called before the first handshake, and again with `rejected` when the org refused a token:
 * the answer must then be another one. A provider keeps its own single flight: concurrent calls share one login.
 *
 * @throws AuthenticationError, `retryable` where the login host was merely unavailable.
 */
export interface AuthProvider {
  getSession(context: { signal: AbortSignal; rejected?: OrgSession; platform: Platform }): Promise<OrgSession>
}

/** Whether two are one: an org that has moved may keep its tokens. */
export function isSameSession(one: OrgSession | undefined, other: OrgSession | undefined): boolean {
  return one?.accessToken === other?.accessToken && one?.instanceUrl === other?.instanceUrl
}
