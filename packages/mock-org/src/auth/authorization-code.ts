import { letters } from '../ids.ts'
import type { World } from '../world.ts'
import type { App, User } from './accounts.ts'
import { bringsRefresh, type Grant, refused } from './grant.ts'
import { tokenFields } from './oauth-reply.ts'

export interface PendingCode {
  readonly clientId: string
  readonly userId: string
  readonly redirectUri: string
  readonly challenge: string | undefined
  readonly scope: string
  readonly nonce: string | undefined
  readonly expiresAt: number
  used: boolean
}

const codeLifeMs = 900_000

/** `GET /services/oauth2/authorize`: the user agrees at once, or has been told to refuse. */
export function authorize(world: World, url: URL): Response {
  const { accounts, clock, random, codes } = world
  const query = url.searchParams
  const app = accounts.app(query.get('client_id') ?? '')
  if (!app) return new Response('error=invalid_client_id&error_description=client%20identifier%20invalid', { status: 400 })
  const redirectUri = query.get('redirect_uri') ?? ''
  if (!app.redirectUris.includes(redirectUri)) {
    return new Response('error=redirect_uri_mismatch&error_description=redirect_uri%20must%20match%20configuration', { status: 400 })
  }
  const back = (answer: string): Response => {
    const state = query.get('state')
    const location = `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${answer}${state === null ? '' : `&state=${encodeURIComponent(state)}`}`
    return new Response(null, { status: 302, headers: { Location: location } })
  }
  if (codes.denied) return back('error=access_denied&error_description=end-user+denied+authorization')
  const user = accounts.users[0]!
  const scope = query.get('scope') ?? app.scopes.join(' ')
  if (query.get('response_type') === 'token') return userAgent(world, { app, user, scope, redirectUri, state: query.get('state') })
  if (query.get('response_type') !== 'code') return back('error=unsupported_response_type&error_description=response+type+not+supported')
  const challenge = query.get('code_challenge') ?? undefined
  // Metadata names S256 alone: facts 1.4.
  if (challenge !== undefined && (query.get('code_challenge_method') ?? 'S256') !== 'S256')
    return back('error=invalid_request&error_description=invalid+code+challenge+method')
  if (app.requirePkce && challenge === undefined) return back('error=invalid_request&error_description=missing+required+code+challenge')
  const code = `aPrx${letters(random, 60)}==`
  codes.pending.set(code, {
    clientId: app.clientId,
    userId: user.id,
    redirectUri,
    challenge,
    scope,
    nonce: query.get('nonce') ?? undefined,
    expiresAt: clock.now() + codeLifeMs,
    used: false,
  })
  return back(`code=${encodeURIComponent(code)}`)
}

interface UserAgentLogin {
  app: App
  user: User
  scope: string
  redirectUri: string
  state: string | null
}

/** The login itself comes back, in the fragment that no server sees: facts 1.4. */
function userAgent(world: World, { app, user, scope, redirectUri, state }: UserAgentLogin): Response {
  const grant = { userId: user.id, clientId: app.clientId, scope }
  world.counts.logins += 1
  const fragment = new URLSearchParams(tokenFields(world, world.tokens.issue(grant)))
  if (bringsRefresh(scope)) fragment.set('refresh_token', world.tokens.issueRefresh(grant).value)
  if (state !== null) fragment.set('state', state)
  return new Response(null, { status: 302, headers: { Location: `${redirectUri}#${fragment}` } })
}

export async function authorizationCode(world: World, form: URLSearchParams, app: App): Promise<Grant> {
  const { accounts, clock, codes } = world
  const pending = codes.pending.get(form.get('code') ?? '')
  if (!pending || pending.clientId !== app.clientId) return refused('invalid_grant', 'invalid authorization code')
  if (pending.used || pending.expiresAt <= clock.now()) return refused('invalid_grant', 'expired authorization code')
  if (form.get('redirect_uri') !== pending.redirectUri) return refused('redirect_uri_mismatch', 'redirect_uri must match configuration')
  if (pending.challenge !== undefined && (await world.track(challengeOf(form.get('code_verifier') ?? ''))) !== pending.challenge) {
    return refused('invalid_grant', 'invalid code verifier')
  }
  pending.used = true
  const user = accounts.userById(pending.userId)!
  return { user, app, scope: pending.scope, refresh: bringsRefresh(pending.scope), nonce: pending.nonce }
}

/** S256 of RFC 7636, the only method advertised. */
async function challengeOf(verifier: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)))
  return btoa(String.fromCharCode(...digest))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '')
}
