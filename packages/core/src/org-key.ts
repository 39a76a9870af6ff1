import type { OrgSession } from './auth-provider.ts'

/** Names the org in replay keys: the 15 characters before the `!` of an opaque token, else the instance's host. */
export function orgKey(session: OrgSession): string {
  return /^(00D\w{12})\w{0,3}!/.exec(session.accessToken)?.[1] ?? new URL(session.instanceUrl).host
}
