import type { OrgSession } from '@sfstream/core'
import { requestToken, type TokenRequest } from './token-endpoint.ts'
import { usableSession } from './usable-session.ts'

/**
 * The session a token request yields. Salesforce's `instance_url` counts, not the login host: it changes when an org moves.
 * @throws AuthenticationError of `requestToken` and `usableSession`
 */
export async function tokenLogin(request: TokenRequest): Promise<{ session: OrgSession; refreshToken: string | undefined }> {
  const reply = await requestToken(request)
  const session = usableSession({ accessToken: reply.access_token, instanceUrl: reply.instance_url }, `Reply of ${request.host.host}`)
  return { session, refreshToken: reply.refresh_token }
}
