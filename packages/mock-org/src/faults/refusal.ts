import { oauthError } from '../auth/oauth-reply.ts'
import { soapFault } from '../auth/soap-login.ts'
import { restError } from '../rest/rest-reply.ts'
import type { Fault, RequestKind } from './fault.ts'

/** A refusal as the org itself would write it for this kind of request. */
export function refusal(fault: Extract<Fault, { kind: 'refuse' }>, kinds: readonly RequestKind[]): Response {
  const { error, description, status = 400 } = fault
  if (kinds.includes('soap')) return soapFault(error, description)
  if (kinds.includes('rest')) return restError(status, error, description)
  return oauthError({ error, error_description: description, status })
}
