import { AuthenticationError, type AuthProvider } from '@sfstream/core'
import { required } from '@sfstream/core/internal'
import { given, hostNames } from './given.ts'
import { audienceOf, type LoginHostOptions, loginHost } from './login-host.ts'
import { type CryptoKey, checkedKey, importedKey, type PrivateKey } from './private-key.ts'
import { type LoginContext, sessionCache } from './session-cache.ts'
import { spaced } from './spaced.ts'
import { tokenLogin } from './token-login.ts'

export interface JwtBearerOptions extends LoginHostOptions {
  /** The consumer key. */
  clientId: string
  /** The user to act as; must be pre-authorized for the app. */
  username: string
  privateKey: PrivateKey
  /** The assertion's `aud`. By default told from the login host: login.salesforce.com, test.salesforce.com, or the site's URL. */
  audience?: string
}

/** Salesforce accepts three minutes ahead. */
const lifetimeSeconds = 180

/**
 * The JWT bearer flow: a signed assertion instead of a secret. Every login signs anew.
 * @throws AuthenticationError `missing_credential`, `bad_option`, `bad_login_url`
 */
export function jwtBearer(options: JwtBearerOptions): AuthProvider {
  const names = { ...hostNames, clientId: true, username: true, privateKey: true, audience: true } as const
  const { clientId, username } = given('jwtBearer', options, names)
  required('jwtBearer', { clientId, username })
  const key = checkedKey(options.privateKey)
  const host = loginHost(options)
  const audience = options.audience ?? audienceOf(host)
  let imported: CryptoKey | undefined

  const sign = async (nowMs: number): Promise<string> => {
    imported ??= await importedKey(key)
    const { SignJWT } = await import('jose')
    try {
      return await new SignJWT({ iss: clientId, sub: username, aud: audience, exp: Math.floor(nowMs / 1000) + lifetimeSeconds })
        .setProtectedHeader({ alg: 'RS256' })
        .sign(imported)
    } catch {
      throw new AuthenticationError({
        code: 'bad_option',
        message: 'jwtBearer: `privateKey` cannot sign with RS256.',
        remediation: 'Pass a private RSA key of 2,048 bits or more, usable for RSASSA-PKCS1-v1_5 with SHA-256.',
      })
    }
  }

  const login = spaced(async ({ signal, platform }: LoginContext) => {
    const assertion = await sign(platform.now())
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }
    return tokenLogin({ host, form, secrets: [assertion], signal, platform })
  })
  return sessionCache(login)
}
