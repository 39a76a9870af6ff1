import type { AuthProvider } from '@sfstream/core'
import { required } from '@sfstream/core/internal'
import { given } from './given.ts'
import { myDomainHost } from './login-host.ts'
import { type LoginContext, sessionCache } from './session-cache.ts'
import { spaced } from './spaced.ts'
import { tokenLogin } from './token-login.ts'

export interface ClientCredentialsOptions {
  /** The org's My Domain, such as `https://acme.my.salesforce.com`: the generic login hosts refuse this flow. */
  loginUrl: string | URL
  clientId: string
  clientSecret: string
}

/**
 * The client credentials flow: an app that runs as the user chosen in its policies. No user interaction, no password.
 * @throws AuthenticationError `missing_credential`, `bad_login_url`
 */
export function clientCredentials(options: ClientCredentialsOptions): AuthProvider {
  const { clientId, clientSecret } = given('clientCredentials', options, { loginUrl: true, clientId: true, clientSecret: true })
  required('clientCredentials', { clientId, clientSecret })
  const host = myDomainHost({ loginUrl: options.loginUrl })
  const login = spaced(({ signal, platform }: LoginContext) => {
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }
    return tokenLogin({ host, form, secrets: [clientSecret], signal, platform })
  })
  return sessionCache(login)
}
