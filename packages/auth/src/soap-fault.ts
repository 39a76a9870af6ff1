import type { AuthenticationError } from '@sfstream/core'
import { again, type FaultRule, type LoginFault, loginFault } from './login-fault.ts'

/** ExceptionCodes of the SOAP API that name a passing trouble; `Server` is SOAP's own. */
const transient: readonly FaultRule[] = [
  { error: /^(?:SERVER_UNAVAILABLE|API_CURRENTLY_DISABLED|UNKNOWN_EXCEPTION|Server)$/, remediation: again },
  {
    description: /login rate exceeded/,
    remediation: 'Log in less often: share one provider among clients, and pause before the next login (3,600 an hour and user).',
  },
]

const fatal: readonly FaultRule[] = [
  {
    error: /^INVALID_LOGIN$/,
    remediation:
      'Check username, password and security token (a password change resets it; trusted IPs need none), `sandbox` or `loginUrl`, and that the user is not locked out.',
  },
  {
    error: /^LOGIN_MUST_USE_SECURITY_TOKEN$/,
    remediation: "Pass `securityToken` (Settings, Reset My Security Token), or add this machine's IP address to the trusted ranges.",
  },
  {
    error: /^PASSWORD_LOCKOUT$/,
    remediation: 'Unlock the user in Setup, Users, or wait until the lockout ends; then check the password.',
  },
  {
    // INVALID_OPERATION: `SOAP API login() is disabled by default in this org.`
    description: /login\(\) is disabled/,
    remediation:
      'An admin has to turn SOAP API login() on, which is off in new orgs; or change to clientCredentials() or jwtBearer(), which stay.',
  },
  {
    error: /^(?:API_DISABLED_FOR_ORG|FUNCTIONALITY_NOT_ENABLED)$/,
    remediation: 'Give the user a profile or permission set with API Enabled, in an edition that has the API.',
  },
  {
    // INVALID_OPERATION: `The SOAP Login operation is not available in the API version specified (65.0).` Retired versions answer
    // UNSUPPORTED_API_VERSION.
    error: /^(?:UNSUPPORTED_API_VERSION|INVALID_OPERATION)$/,
    remediation:
      "SOAP login() is gone from API 65.0 on, and from all versions with Summer '27: leave `apiVersion` out, or change to clientCredentials() or jwtBearer().",
  },
  {
    error: /^(?:LOGIN_DURING_RESTRICTED_DOMAIN|INVALID_LOGIN_IP)$/,
    remediation: "Add this machine's IP address to the profile's login ranges.",
  },
  { error: /^LOGIN_DURING_RESTRICTED_TIME$/, remediation: "The profile's login hours exclude the present time: widen them for this user." },
  {
    error: /^(?:ORG_LOCKED|TRIAL_EXPIRED|INACTIVE_OWNER_OR_USER)$/,
    remediation: 'The org or the user is not active any more: check that `loginUrl` and `username` name the right ones.',
  },
  {
    error: /^INVALID_SSO_GATEWAY_URL$/,
    remediation: "The org's delegated authentication points nowhere: an admin has to mend it, or use an OAuth flow instead.",
  },
]

/** A fault of SOAP login; unknown ones are final, because a wrong password tried again locks the user out. */
export function soapFault(fault: LoginFault, host: string, secrets: readonly string[]): AuthenticationError {
  const otherwise = 'Check the credentials; Setup, Login History shows the reason.'
  return loginFault(fault, host, secrets, { transient, fatal, otherwise, statusCounts: false })
}
