import type { Exchange } from '../exchange.ts'
import { eighteen } from '../ids.ts'
import type { World } from '../world.ts'
import type { App } from './accounts.ts'
import { authorizationCode } from './authorization-code.ts'
import { deviceCode, deviceToken } from './device-flow.ts'
import { type Grant, refused } from './grant.ts'
import { idToken } from './id-token.ts'
import { jwtBearer } from './jwt-bearer.ts'
import { oauthError, tokenReply } from './oauth-reply.ts'
import { tokenExchange } from './token-exchange.ts'

const tokenExchangeGrants = ['urn:ietf:params:oauth:grant-type:token-exchange', 'urn:ietf:params:oauth:grant-type:hybrid-token-exchange']

/** `POST /services/oauth2/token`. */
export async function tokenEndpoint(world: World, exchange: Exchange, authorization: string | null): Promise<Response> {
  const form = new URLSearchParams(exchange.body)
  const basic = basicCredentials(authorization)
  if (basic) {
    form.set('client_id', basic.id)
    form.set('client_secret', basic.secret)
  }
  const grant = await grantFor(world, exchange, form)
  if (grant instanceof Response) return grant
  if ('error' in grant) return oauthError(grant)
  const { user, app, scope } = grant
  if (!user.active) return oauthError(refused('invalid_grant', 'inactive user'))
  if (!world.usage.login(user.id)) return oauthError(refused('rate_limit_exceeded', 'login rate exceeded'))
  world.counts.logins += 1
  const token = world.tokens.issue({ userId: user.id, clientId: app.clientId, scope })
  const more: Record<string, unknown> = {}
  if (grant.refresh) more.refresh_token = world.tokens.issueRefresh({ userId: user.id, clientId: app.clientId, scope }).value
  if (grant.rotated !== undefined) more.refresh_token = grant.rotated
  if (/\bopenid\b/.test(scope)) {
    const identity = { issuer: exchange.origin, userId: user.id, clientId: app.clientId, nonce: grant.nonce }
    more.id_token = await world.track(idToken(world, identity))
  }
  if (exchange.role === 'site') Object.assign(more, { sfdc_community_url: world.hosts.site, sfdc_community_id: siteId(world) })
  return tokenReply(world, token, more)
}

/** The same for as long as the org lives. */
const siteId = ({ accounts }: World): string => eighteen(`0DB${accounts.orgId.slice(3)}`)

async function grantFor(world: World, exchange: Exchange, form: URLSearchParams): Promise<Grant> {
  if (form.get('response_type') === 'device_code') return deviceCode(world, form)
  const grantType = form.get('grant_type')
  if (tokenExchangeGrants.includes(grantType ?? '')) return withApp(world, form, (app) => tokenExchange(world, form, app))
  switch (grantType) {
    case null:
    case '':
      return refused('invalid_request', 'grant type is missing')
    case 'password':
      return withApp(world, form, (app) => password(world, form, app))
    case 'refresh_token':
      return withApp(world, form, (app) => refreshToken(world, form, app))
    case 'client_credentials':
      return clientCredentials(world, exchange, form)
    case 'urn:ietf:params:oauth:grant-type:jwt-bearer':
      return jwtBearer(world, exchange, form)
    case 'authorization_code':
      return withApp(world, form, (app) => authorizationCode(world, form, app))
    case 'device':
      return withApp(world, form, (app) => deviceToken(world, form, app), false)
    default:
      return refused('unsupported_grant_type', 'grant type not supported')
  }
}

/** Checks the app's id and, where one was sent or is asked for, its secret. */
async function withApp(
  world: World,
  form: URLSearchParams,
  grant: (app: App) => Grant | Promise<Grant>,
  secretAsked = true,
): Promise<Grant> {
  const app = world.accounts.app(form.get('client_id') ?? '')
  if (!app) return refused('invalid_client_id', 'client identifier invalid')
  const secret = form.get('client_secret')
  // An app for public clients needs none, but a wrong one is always refused.
  if (secret !== null ? secret !== app.clientSecret : secretAsked && app.requireSecret) {
    return refused('invalid_client', 'invalid client credentials', world.switches.invalidClientStatus)
  }
  return grant(app)
}

function password(world: World, form: URLSearchParams, app: App): Grant {
  const user = world.switches.passwordFlow ? world.accounts.user(form.get('username') ?? '') : undefined
  const given = form.get('password') ?? ''
  if (!user || (given !== user.password + user.securityToken && given !== user.password))
    return refused('invalid_grant', 'authentication failure')
  // Without the security token only trusted addresses pass; a user with an empty one has them.
  if (user.securityToken !== '' && given === user.password) return refused('invalid_grant', 'authentication failure')
  return { user, app, scope: 'api', refresh: false }
}

function refreshToken(world: World, form: URLSearchParams, app: App): Grant {
  const { tokens, accounts, switches } = world
  const value = form.get('refresh_token') ?? ''
  const token = tokens.refresh(value)
  const user = token && accounts.userById(token.userId)
  if (!token || !user || token.clientId !== app.clientId) return refused('invalid_grant', 'expired access/refresh token')
  const grant = { user, app, scope: token.scope, refresh: false }
  if (!switches.rotateRefreshTokens) return grant
  tokens.removeRefresh(value)
  return { ...grant, rotated: tokens.issueRefresh(token).value }
}

function clientCredentials(world: World, exchange: Exchange, form: URLSearchParams): Grant | Promise<Grant> {
  if (exchange.role !== 'instance') return refused('invalid_grant', 'request not supported on this domain')
  return withApp(world, form, (app) => {
    if (form.get('client_secret') === null)
      return refused('invalid_client', 'invalid client credentials', world.switches.invalidClientStatus)
    if (app.requirePkce) return refused('invalid_request', 'missing required code challenge')
    const user = app.runAs === undefined ? undefined : world.accounts.user(app.runAs)
    return user ? { user, app, scope: 'api', refresh: false } : refused('invalid_grant', 'no client credentials user enabled')
  })
}

function basicCredentials(header: string | null): { id: string; secret: string } | undefined {
  const encoded = /^basic\s+(\S+)$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return undefined
  try {
    const [id = '', ...secret] = atob(encoded).split(':')
    return { id: decodeURIComponent(id), secret: decodeURIComponent(secret.join(':')) }
  } catch {
    return undefined
  }
}
