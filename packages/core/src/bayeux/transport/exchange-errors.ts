import { TransportError } from '../../errors.ts'

/** `what` was exceeded before a status was known. */
export function notAnswered(what: string): TransportError {
  return new TransportError({
    code: 'timeout',
    message: `The org did not answer: ${what}.`,
    remediation: 'Check the network path; a proxy between may cut or hold long polls.',
    retryable: true,
  })
}

/** No connection, or one that ended before a status was known. */
export function notReached(url: URL, cause: unknown): TransportError {
  return new TransportError({
    code: 'network',
    message: `${url.host} could not be reached: ${reasonOf(cause)}.`,
    remediation: 'Check the network path, DNS and TLS to the org.',
    retryable: true,
    cause,
  })
}

/** The innermost reason: Node hides `ECONNREFUSED` under "fetch failed", and under an error without a text where a host has two addresses. */
export function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  if (!(inner instanceof Error)) return String(inner)
  const [first] = (inner as Partial<AggregateError>).errors ?? []
  return inner.message || (first instanceof Error && first.message) || inner.name
}
