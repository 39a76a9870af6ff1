import type { AuthenticationError } from '@sfstream/core'
import { again, type FaultRule, type LoginFault, loginFault } from './login-fault.ts'

/** What passes by itself. Salesforce OAuth error codes; `retry your request` is its own wording. */
const transient: readonly FaultRule[] = [
  {
    error: /^rate_limit_exceeded$/,
    description: /login rate exceeded/,
    remediation: 'Log in less often: share one provider among clients, and pause before the next login (3,600 an hour and user).',
  },
  { error: /^(?:server_error|temporarily_unavailable|unknown_error)$/, remediation: again },
  { description: /retry your request|temporarily unavailable/, remediation: again },
]

/** What needs somebody to change something; the first rule that fits gives the remediation. */
const fatal: readonly FaultRule[] = [
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
    error: /^access[-_]denied$/,
    remediation: 'The user declined, or may not use the app: ask again, or have an admin allow the app for this user.',
  },
  {
    description: /authorization code/,
    remediation: 'A code works once and for about 15 minutes: open the URL of authorize() again, and exchange each callback once.',
  },
  {
    error: /^redirect_uri_mismatch$/,
    remediation: "Set `redirectUri` to one of the app's callback URLs, to the letter.",
  },
  {
    description: /code (?:verifier|challenge)/,
    remediation: 'Exchange the callback with what authorize() gave for the very URL that was opened.',
  },
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

/** A refusal of the OAuth endpoints; `secrets` show in none of it. */
export function tokenFault(fault: LoginFault, host: string, secrets: readonly string[]): AuthenticationError {
  const otherwise = "Check the credentials and the app's OAuth settings; Setup, Login History shows the reason."
  return loginFault(fault, host, secrets, { transient, fatal, otherwise, statusCounts: true })
}
