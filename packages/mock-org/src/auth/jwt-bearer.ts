import type { Exchange } from '../exchange.ts'
import { textOf } from '../text-of.ts'
import type { World } from '../world.ts'
import type { App } from './accounts.ts'
import { type Grant, notApproved, refused } from './grant.ts'

type Jose = typeof import('jose')

/** An assertion may be good for this long at most, and clocks may differ by as much again: facts 1.4. */
const longestMs = 300_000

export async function jwtBearer(world: World, exchange: Exchange, form: URLSearchParams): Promise<Grant> {
  const { accounts, clock, hosts } = world
  const assertion = form.get('assertion') ?? ''
  // Loaded on first use: it has no CommonJS build.
  const jose = await world.track(import('jose'))
  let claims: ReturnType<typeof jose.decodeJwt>
  try {
    claims = jose.decodeJwt(assertion)
  } catch {
    return refused('invalid_grant', 'invalid assertion')
  }
  const app = accounts.app(textOf(claims.iss))
  if (!app) return refused('invalid_client_id', 'client identifier invalid')
  if (!(await world.track(verified(jose, assertion, app)))) return refused('invalid_grant', 'invalid assertion')
  const audiences = [claims.aud].flat()
  const accepted = [hosts.login, 'https://login.salesforce.com', 'https://test.salesforce.com', hosts.instance, hosts.site, exchange.origin]
  if (!audiences.some((audience) => accepted.includes(textOf(audience).replace(/\/$/, ''))))
    return refused('invalid_grant', 'audience is invalid')
  const expiresIn = typeof claims.exp === 'number' ? claims.exp * 1_000 - clock.now() : 0
  if (expiresIn <= 0 || expiresIn > longestMs) return refused('invalid_grant', 'invalid assertion')
  const user = accounts.user(textOf(claims.sub))
  if (!user?.approved) return notApproved(app)
  return { user, app, scope: 'api', refresh: false }
}

async function verified(jose: Jose, assertion: string, app: App): Promise<boolean> {
  const { certificate } = app
  if (certificate === undefined) return false
  try {
    await jose.compactVerify(assertion, await publicKey(jose, certificate), { algorithms: ['RS256'] })
    return true
  } catch {
    return false
  }
}

async function publicKey({ importJWK, importSPKI, importX509 }: Jose, certificate: NonNullable<App['certificate']>): Promise<CryptoKey> {
  if (typeof certificate === 'string') {
    return certificate.includes('CERTIFICATE') ? importX509(certificate, 'RS256') : importSPKI(certificate, 'RS256')
  }
  return 'kty' in certificate
    ? ((await importJWK(certificate as Parameters<typeof importJWK>[0], 'RS256')) as CryptoKey)
    : (certificate as CryptoKey)
}
