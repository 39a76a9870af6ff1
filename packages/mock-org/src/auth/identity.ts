import { eighteen } from '../ids.ts'
import type { World } from '../world.ts'
import { identityUrl, oauthJson } from './oauth-reply.ts'

/** `GET /services/oauth2/userinfo`: its refusals are HTTP 403 with plain text, unlike REST's (facts 1.8). */
export function userInfo(world: World, token: string | undefined): Response {
  const text = (body: string): Response => new Response(body, { status: 403, headers: { 'Content-Type': 'text/plain' } })
  if (token === undefined) return text('Missing_OAuth_Token')
  if (/^00D\w{12}!/.test(token) && !token.startsWith(world.accounts.orgId)) return text('Wrong_Org')
  const known = world.tokens.check(token)
  const user = known && world.accounts.userById(known.userId)
  if (!user) return text('Bad_OAuth_Token')
  const { instance } = world.hosts
  const [org, id] = [eighteen(world.accounts.orgId), eighteen(user.id)]
  return oauthJson({
    sub: identityUrl(world, user.id),
    user_id: id,
    organization_id: org,
    preferred_username: user.username,
    name: user.name,
    email: user.email,
    zoneinfo: 'America/Los_Angeles',
    urls: {
      rest: `${instance}/services/data/v{version}/`,
      sobjects: `${instance}/services/data/v{version}/sobjects/`,
      enterprise: `${instance}/services/Soap/c/{version}/${world.accounts.orgId}`,
    },
    active: user.active,
    user_type: 'STANDARD',
    language: 'en_US',
  })
}

/** Revokes an access token, or a refresh token. Nothing tells whether it existed. */
export function revoke(world: World, value: string): Response {
  world.tokens.removeRefresh(value)
  if (world.tokens.find(value)) world.revokeToken(value)
  return new Response(null, { status: 200 })
}

export function introspect(world: World, form: URLSearchParams): Response {
  const app = world.accounts.app(form.get('client_id') ?? '')
  if (!app || form.get('client_secret') !== app.clientSecret)
    return oauthJson({ error: 'invalid_client', error_description: 'invalid client credentials' }, 401)
  const token = world.tokens.check(form.get('token') ?? '')
  const user = token && world.accounts.userById(token.userId)
  if (!token || !user) return oauthJson({ active: false })
  const seconds = (ms: number): number => Math.floor(ms / 1_000)
  return oauthJson({
    active: true,
    scope: token.scope,
    client_id: token.clientId,
    username: user.username,
    sub: identityUrl(world, user.id),
    token_type: 'access_token',
    iat: seconds(token.issuedAt),
    nbf: seconds(token.issuedAt),
    exp: seconds(token.expiresAt),
  })
}
