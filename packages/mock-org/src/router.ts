import { Hono } from 'hono'
import { authorize } from './auth/authorization-code.ts'
import { bearer } from './auth/bearer.ts'
import { identityKeys } from './auth/id-token.ts'
import { introspect, revoke, userInfo } from './auth/identity.ts'
import { oauthJson } from './auth/oauth-reply.ts'
import { soapLogin } from './auth/soap-login.ts'
import { tokenEndpoint } from './auth/token-endpoint.ts'
import { cometd } from './bayeux/endpoint.ts'
import { crossOrigin } from './cors.ts'
import type { Exchange } from './exchange.ts'
import { schemaById, schemaByName } from './rest/event-schema.ts'
import { orgLimits } from './rest/org-limits.ts'
import { publishEvent, push } from './rest/publish.ts'
import { query } from './rest/query.ts'
import { notFound, restError, restJson } from './rest/rest-reply.ts'
import type { World } from './world.ts'

/** Which address is answered by what. Login hosts serve OAuth and SOAP only. */
export function router(world: World): (request: Request, exchange: Exchange) => Promise<Response> {
  const app = new Hono<{ Bindings: Exchange }>({ strict: false })
  const oauth = '/services/oauth2'

  app.use('*', crossOrigin(world))
  app.post(`${oauth}/token`, (c) => tokenEndpoint(world, c.env, c.req.header('Authorization') ?? null))
  app.get(`${oauth}/authorize`, (c) => authorize(world, new URL(c.req.url)))
  app.all(`${oauth}/userinfo`, (c) => userInfo(world, bearer(c.req.header('Authorization') ?? null)))
  app.post(`${oauth}/revoke`, (c) => revoke(world, new URLSearchParams(c.env.body).get('token') ?? ''))
  app.get(`${oauth}/revoke`, (c) => revoke(world, c.req.query('token') ?? ''))
  app.post(`${oauth}/introspect`, (c) => introspect(world, new URLSearchParams(c.env.body)))
  app.post('/services/Soap/u/:version/:org?', (c) =>
    soapLogin(world, c.req.param('version'), c.req.header('SOAPAction') ?? null, c.env.body),
  )
  app.get(`${oauth}/id/keys`, async () => oauthJson(await identityKeys(world)))
  app.get('/.well-known/openid-configuration', (c) => oauthJson(openIdConfiguration(c.env.origin)))

  // What follows is the instance's alone.
  app.use('*', async (c, next) => {
    if (c.env.role !== 'instance') return notFoundPage()
    return next()
  })
  app.all('/cometd/*', (c) => cometd(world, c.env, c.req.method, c.req.path, c.req.header('Authorization') ?? null))
  app.all('/cometd', (c) => cometd(world, c.env, c.req.method, '/cometd/', c.req.header('Authorization') ?? null))
  app.get('/services/data', () => restJson(versionList(world)))

  const rest = new Hono<{ Bindings: Exchange }>({ strict: false })
  /** Beside every reply but those of the version list: REST API guide, "Limit Info Header". */
  const withUsage = (reply: Response): Response => {
    reply.headers.set('Sforce-Limit-Info', `api-usage=${world.usage.used.apiRequests}/${world.limits.dailyApiRequests}`)
    return reply
  }
  rest.use('*', async (c, next) => {
    const version = /\/services\/data\/v([\d.]+)/.exec(c.req.path)?.[1] ?? ''
    const token = bearer(c.req.header('Authorization') ?? null)
    const known = token !== undefined && !world.switches.ipLocked && world.tokens.check(token)
    if (!known) return restError(401, 'INVALID_SESSION_ID', 'Session expired or invalid')
    if (!world.usage.apiRequest()) return withUsage(restError(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'))
    if (!world.versions.includes(version)) return withUsage(notFound())
    await next()
    withUsage(c.res)
    return undefined
  })
  rest.get('/', () => restJson({ sobjects: 'sobjects', limits: 'limits', query: 'query' }))
  rest.get('/limits', () => orgLimits(world))
  rest.get('/query', (c) => query(world, c.req.query('q') ?? '', c.req.param('version') ?? ''))
  rest.on(['GET', 'POST'], '/sobjects/StreamingChannel/:id/push', (c) => push(world, c.req.param('id'), c.req.method, c.env.body))
  rest.get('/sobjects/:name/eventSchema', (c) => schemaByName(world, c.req.param('name'), c.req.query('payloadFormat')))
  rest.get('/event/eventSchema/:id', (c) => schemaById(world, c.req.param('id'), c.req.query('payloadFormat')))
  rest.post('/sobjects/:name', (c) => publishEvent(world, c.req.param('name'), c.env.body))
  rest.all('*', () => notFound())
  app.route('/services/data/:version', rest)

  app.notFound(() => notFoundPage())
  app.onError((error) => {
    throw error
  })
  return async (request, exchange) => app.fetch(request, exchange)
}

/** Ascending; the newest is last: facts 1.3. */
function versionList(world: World): unknown[] {
  const seasons = ['Spring', 'Summer', 'Winter']
  return world.versions.map((version) => {
    const number = Number(version)
    const label = `${seasons[number % 3]} '${String(Math.floor((number + 13) / 3)).padStart(2, '0')}`
    return { label, url: `/services/data/v${version}`, version }
  })
}

function openIdConfiguration(origin: string): Record<string, unknown> {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/services/oauth2/authorize`,
    token_endpoint: `${origin}/services/oauth2/token`,
    revocation_endpoint: `${origin}/services/oauth2/revoke`,
    jwks_uri: `${origin}/services/oauth2/id/keys`,
    userinfo_endpoint: `${origin}/services/oauth2/userinfo`,
    introspection_endpoint: `${origin}/services/oauth2/introspect`,
    code_challenge_methods_supported: ['S256'],
  }
}

export function notFoundPage(): Response {
  return new Response('<html><head><title>URL No Longer Exists</title></head><body>URL No Longer Exists</body></html>', {
    status: 404,
    headers: { 'Content-Type': 'text/html;charset=UTF-8' },
  })
}
