import type { AuthProvider } from '@sfstream/core'
import { required } from '@sfstream/core/internal'
import { given, hostNames } from './given.ts'
import { type LoginHostOptions, loginHost } from './login-host.ts'
import { type LoginContext, sessionCache } from './session-cache.ts'
import { spaced } from './spaced.ts'
import { tokenLogin } from './token-login.ts'

export interface PasswordOptions extends LoginHostOptions {
  username: string
  password: string
  /** Appended to the password; not needed from trusted IP ranges. */
  securityToken?: string
  clientId: string
  clientSecret: string
}

/**
 * The username-password flow. Salesforce blocks it in newer orgs: prefer `clientCredentials` or `jwtBearer`.
 * @throws AuthenticationError `missing_credential`, `bad_option`, `bad_login_url`
 */
export function password(options: PasswordOptions): AuthProvider {
  const names = { ...hostNames, username: true, password: true, securityToken: true, clientId: true, clientSecret: true } as const
  const { username, password: word, securityToken = '', clientId, clientSecret } = given('password', options, names)
  required('password', { username, password: word, clientId, clientSecret })
  const host = loginHost(options)
  const secret = `${word}${securityToken}`
  const login = spaced(({ signal, platform }: LoginContext) => {
    const form = { grant_type: 'password', client_id: clientId, client_secret: clientSecret, username, password: secret }
    return tokenLogin({ host, form, secrets: [secret, word, securityToken, clientSecret], signal, platform })
  })
  return sessionCache(login)
}
