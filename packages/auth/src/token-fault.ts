import { AuthenticationError } from '@sfstream/core'
import { redact } from './redact.ts'

/** A refusal as the token endpoint words it: `{"error", "error_description"}`. */
export interface OAuthFault {
  error: string
  description: string
  status: number
}

interface Rule {
  error?: RegExp
  description?: RegExp
  remediation: string
}

const maxWords = 500
const again = 'Nothing to change: try again after a pause.'

/** What passes by itself. Salesforce OAuth error codes; `retry your request` is its own wording. */
const transient: readonly Rule[] = [
  {
    error: /^rate_limit_exceeded$/,
    description: /login rate exceeded/,
    remediation: 'Log in less often: share one provider among clients, and pause before the next login (3,600 an hour and user).',
  },
  { error: /^(?:server_error|temporarily_unavailable|unknown_error)$/, remediation: again },
  { description: /retry your request|temporarily unavailable/, remediation: again },
]

/** What needs somebody to change something; the first rule that fits gives the remediation. */
const fatal: readonly Rule[] = [
  {
    description: /authentication failure/,
    remediation:
      'Check username, password and security token (a password change resets it; trusted IPs need none), and that the org allows the OAuth username-password flow.',
  },
  {
    description: /expired access\/refresh token/,
    remediation:
      'The refresh token was revoked, expired, rotated elsewhere or pushed out by newer ones: authorize the app again and store the new token.',
  },
  { description: /inactive user|user is inactive/, remediation: 'Activate the user in Setup, Users, or log in as another one.' },
  {
    description: /inactive organi[sz]ation/,
    remediation: 'The org is locked, expired or deleted: check that `loginUrl` names the right one.',
  },
  {
    description: /ip restricted/,
    remediation: "Add this machine's IP address to the profile's login ranges, or relax IP restrictions in the connected app's policies.",
  },
  { description: /login hours/, remediation: "The profile's login hours exclude the present time: widen them for this user." },
  {
    description: /hasn'?t approved this consumer/,
    remediation:
      'Pre-authorize the user: set the app\'s policy to "Admin approved users are pre-authorized" and assign the user\'s profile or permission set, or let the user authorize once.',
  },
  {
    error: /^invalid_app_access$/,
    remediation: "Assign the user's profile or a permission set to the connected app (Manage, Profiles or Permission Sets).",
  },
  {
    description: /no client credentials user enabled/,
    remediation: 'Enable the client credentials flow in the app\'s policies and choose its "Run As" user.',
  },
  {
    description: /request not supported on this domain/,
    remediation: "Set `loginUrl` to the org's My Domain URL, such as https://acme.my.salesforce.com.",
  },
  {
    description: /audience/,
    remediation: "Set `audience` to https://login.salesforce.com, to https://test.salesforce.com for a sandbox, or to the site's URL.",
  },
  {
    description: /assertion/,
    remediation:
      "Check that the certificate uploaded to the app belongs to `privateKey`, that `audience` fits the org, and that this machine's clock is right.",
  },
  {
    description: /activation secret invalid/,
    remediation: "Verify the identity of this user once in a browser, or add this machine's IP address to the trusted ranges.",
  },
  {
    error: /^invalid_client_id$/,
    description: /client identifier invalid/,
    remediation: 'Check `clientId` (the consumer key) and `loginUrl`; a new app takes about 10 minutes to be known.',
  },
  { error: /^invalid_client$/, remediation: 'Check `clientSecret`: it belongs to `clientId` and was not rotated.' },
  {
    error: /^unsupported_grant_type$/,
    remediation: 'Enable this OAuth flow for the app and the org (Setup, OAuth and OpenID Connect Settings).',
  },
  { error: /^invalid_grant$/, remediation: "Check the credentials and the app's policies; Setup, Login History shows the reason." },
]

/**
 * The typed error for a refusal: `login_unavailable` (retryable) for what passes by itself, else `login_refused`.
 */
export function tokenFault(fault: OAuthFault, host: string, secrets: readonly string[]): AuthenticationError {
  const fits = (rule: Rule): boolean =>
    rule.error && rule.description
      ? rule.error.test(fault.error) || rule.description.test(fault.description.toLowerCase())
      : (rule.error?.test(fault.error) ?? rule.description?.test(fault.description.toLowerCase()) ?? false)
  // Redacted before it is cut: half a secret would not be found.
  const error = redact(fault.error, secrets).slice(0, maxWords)
  const text = redact(fault.description, secrets).slice(0, maxWords)
  const said = text ? `${error}: ${text}` : error
  const server = { error, text, status: fault.status }

  const passing = transient.find(fits)
  if (passing || fault.status >= 500 || fault.status === 429 || fault.status === 408) {
    return new AuthenticationError({
      code: 'login_unavailable',
      message: `${host} could not log in just now (HTTP ${fault.status}, ${said}).`,
      remediation: passing?.remediation ?? again,
      retryable: true,
      server,
    })
  }
  return new AuthenticationError({
    code: 'login_refused',
    message: `${host} refused the login (HTTP ${fault.status}, ${said}).`,
    remediation:
      fatal.find(fits)?.remediation ?? "Check the credentials and the app's OAuth settings; Setup, Login History shows the reason.",
    server,
  })
}
