import { AuthenticationError } from '@sfstream/core'
import { serverFault } from './login-request.ts'
import { redact } from './redact.ts'

/** A refusal in Salesforce's words: `error` and `error_description` of OAuth, the code and text of a SOAP fault. */
export interface LoginFault {
  error: string
  description: string
  /** The reply's; a callback has none. */
  status?: number
  retryAfterMs?: number | undefined
}

/** Fits a fault by its code or its description, either of them. */
export interface FaultRule {
  error?: RegExp
  description?: RegExp
  remediation: string
}

export interface FaultRules {
  /** What passes by itself. */
  transient: readonly FaultRule[]
  /** What needs somebody to change something; the first rule that fits gives the remediation. */
  fatal: readonly FaultRule[]
  /** For the rest. */
  otherwise: string
  /** Whether an HTTP status can say that it passes; SOAP answers every fault with 500. */
  statusCounts: boolean
}

const maxWords = 500
export const again = 'Nothing to change: try again after a pause.'

/**
 * The typed error for a refusal: `login_unavailable` (retryable) for what passes by itself, else `login_refused`.
 */
export function loginFault(fault: LoginFault, host: string, secrets: readonly string[], rules: FaultRules): AuthenticationError {
  const description = fault.description.toLowerCase()
  const fits = (rule: FaultRule): boolean => (rule.error?.test(fault.error) || rule.description?.test(description)) ?? false
  // Redacted before it is cut: half a secret would not be found.
  const error = redact(fault.error, secrets).slice(0, maxWords)
  const text = redact(fault.description, secrets).slice(0, maxWords)
  const { status } = fault
  const said = `${status === undefined ? '' : `HTTP ${status}, `}${text ? `${error}: ${text}` : error}`
  const server = serverFault(fault, { error, text })

  const passing = rules.transient.find(fits)
  if (passing || (rules.statusCounts && status !== undefined && (status >= 500 || status === 429 || status === 408))) {
    return new AuthenticationError({
      code: 'login_unavailable',
      message: `${host} could not log in just now (${said}).`,
      remediation: passing?.remediation ?? again,
      retryable: true,
      server,
    })
  }
  return new AuthenticationError({
    code: 'login_refused',
    message: `${host} refused the login (${said}).`,
    remediation: rules.fatal.find(fits)?.remediation ?? rules.otherwise,
    server,
  })
}
