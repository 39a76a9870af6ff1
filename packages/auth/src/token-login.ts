import type { OrgSession } from '@sfstream/core'
import { checkedSession } from '@sfstream/core/internal'
import { requestToken, type TokenRequest } from './token-endpoint.ts'
import type { TokenReply } from './token-reply.ts'

/**
 * The session a token request yields.
 * @throws AuthenticationError of `requestToken` and `checkedSession`
 */
export async function tokenLogin(request: TokenRequest): Promise<OrgSession> {
  return replySession(await requestToken(request), request.host)
}

/** Salesforce's `instance_url` counts, not the login host: it changes when an org moves. */
export function replySession(reply: TokenReply, host: URL): OrgSession {
  return checkedSession({ accessToken: reply.access_token, instanceUrl: reply.instance_url }, `Reply of ${host.host}`)
}
