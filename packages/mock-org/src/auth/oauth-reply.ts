import { eighteen, letters } from '../ids.ts'
import type { World } from '../world.ts'
import type { AccessToken } from './token-store.ts'

/** An error of the token endpoint: facts 1.5. */
export interface OAuthError {
  error: string
  error_description: string
  status?: number
}

export function oauthError({ error, error_description, status = 400 }: OAuthError): Response {
  return oauthJson({ error, error_description }, status)
}

export function oauthJson(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { 'Content-Type': 'application/json;charset=UTF-8', 'Cache-Control': 'no-store' },
  })
}

/** `issued_at` is a string of milliseconds, and there is no `expires_in`: facts 1.4. */
export function tokenReply(world: World, token: AccessToken, more: Record<string, unknown> = {}): Response {
  return oauthJson({ ...tokenFields(world, token), ...more })
}

export function tokenFields(world: World, token: AccessToken): Record<string, string> {
  return {
    access_token: token.value,
    signature: `${letters(world.random, 43)}=`,
    scope: token.scope,
    instance_url: world.hosts.instance,
    id: identityUrl(world, token.userId),
    token_type: 'Bearer',
    issued_at: String(token.issuedAt),
  }
}

export function identityUrl({ hosts, accounts }: World, userId: string): string {
  return `${hosts.login}/id/${eighteen(accounts.orgId)}/${eighteen(userId)}`
}
