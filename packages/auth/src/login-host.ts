import { AuthenticationError } from '@sfstream/core'
import { trustedUrl } from '@sfstream/core/internal'

/** Where to log in. Production by default. */
export interface LoginHostOptions {
  /** My Domain (`https://acme.my.salesforce.com`), an Experience Cloud site, or a login host. Default `https://login.salesforce.com`. */
  loginUrl?: string | URL
  /** Log in at `https://test.salesforce.com`. Not together with `loginUrl`: a sandbox's My Domain needs no flag. */
  sandbox?: boolean
}

const production = 'https://login.salesforce.com'
const sandboxes = 'https://test.salesforce.com'

/**
 * The base of the login endpoints' URLs, without a trailing slash.
 * @throws AuthenticationError `bad_option`, `bad_login_url`
 */
export function loginHost({ loginUrl, sandbox }: LoginHostOptions): URL {
  if (loginUrl === undefined || loginUrl === '') return new URL(sandbox ? sandboxes : production)
  if (sandbox) {
    throw new AuthenticationError({
      code: 'bad_option',
      message: '`sandbox` and `loginUrl` are both given.',
      remediation: "Keep `loginUrl` and leave `sandbox` out; a sandbox's My Domain is enough.",
    })
  }
  const url = trustedUrl(loginUrl, 'loginUrl', 'bad_login_url')
  // Only Experience Cloud sites live under a path; on Salesforce's own hosts a path is what was open in the browser.
  const path = /\.salesforce\.[a-z]+$/.test(url.hostname)
    ? ''
    : url.pathname.replace(/\/services\/(?:oauth2|Soap)(?:\/.*)?$/, '').replace(/\/+$/, '')
  // Never resolved as text: `//host` would name another one.
  const host = new URL(url.origin)
  host.pathname = path
  return host
}

/**
 * The host of client credentials: the generic login hosts answer that flow with `request not supported on this domain`.
 * @throws AuthenticationError `bad_login_url`, `bad_option`
 */
export function myDomainHost(options: LoginHostOptions): URL {
  const host = loginHost(options)
  if (!/^(?:login|test)\.salesforce\.[a-z]+$/.test(host.hostname)) return host
  throw new AuthenticationError({
    code: 'bad_login_url',
    message: `clientCredentials: ${host.hostname} does not serve this flow.`,
    remediation: 'Set `loginUrl` to the My Domain URL, such as https://acme.my.salesforce.com (Setup, My Domain).',
  })
}

/**
 * The `aud` an assertion for this host needs: the login host for Salesforce's own domains, the site's URL for an Experience Cloud site.
 */
export function audienceOf(host: URL): string {
  const name = host.hostname
  if (name === 'test.salesforce.com' || /\.(?:sandbox|scratch)\.my\.salesforce\.[a-z]+$/.test(name)) return sandboxes
  // Before enhanced domains a sandbox was told by the double hyphen alone.
  if (/--[^.]+\.(?:my|cs\d+\.my)\.salesforce\.[a-z]+$/.test(name)) return sandboxes
  return /\.my\.site\.[a-z]+$/.test(name) ? host.href.replace(/\/$/, '') : production
}
