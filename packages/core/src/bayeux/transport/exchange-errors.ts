import { TransportError, textOf } from '../../errors.ts'

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
export function reasonOf(cause: unknown, depth = 0): string {
  if (!(cause instanceof Error)) return textOf(cause)
  if (cause.cause instanceof Error && depth < 5) return reasonOf(cause.cause, depth + 1)
  const [first] = (cause as Partial<AggregateError>).errors ?? []
  return cause.message || (first instanceof Error && first.message) || cause.name
}
