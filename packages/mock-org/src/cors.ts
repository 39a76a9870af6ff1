import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { Exchange } from './exchange.ts'
import type { World } from './world.ts'

const everyone = ['/.well-known/openid-configuration', '/.well-known/auth-configuration', '/services/oauth2/id/keys']
const switched = ['token', 'revoke', 'introspect', 'authorize', 'pkce/generator'].map((name) => `/services/oauth2/${name}`)

/** What pages of other origins may read: facts 1.9. CometD is for none of them, whatever the allowlist says. */
export function crossOrigin(world: World): MiddlewareHandler<{ Bindings: Exchange }> {
  const allowing = cors({ origin: (origin) => origin, allowMethods: ['HEAD', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE'] })
  return async (c, next) => {
    const origin = c.req.header('Origin')
    if (origin === undefined || origin === c.env.origin) return next()
    const listed = world.corsOrigins.includes(origin)
    const path = c.req.path.replace(/\/$/, '')
    if (c.env.role === 'instance' && /^\/services\/data(?:\/|$)/.test(path)) {
      return listed ? allowing(c, next) : new Response(null, { status: 403 })
    }
    return everyone.includes(path) ||
      (path === '/services/oauth2/userinfo' && listed) ||
      (switched.includes(path) && byOAuth(c.env, listed))
      ? allowing(c, next)
      : next()
  }

  /** A checkbox of Setup, and for My Domain and sites alone. Whether the allowlist must name the page too is said nowhere. */
  function byOAuth({ role }: Exchange, listed: boolean): boolean {
    const { oauthCors } = world.switches
    return (role === 'instance' || role === 'site') && (oauthCors === 'any' || (oauthCors === 'listed' && listed))
  }
}
