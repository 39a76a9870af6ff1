import { AuthenticationError } from '@sfstream/node'

/**
 * Runs what speaks of its options, and has it speak of the flags and variables they were taken from. Whoever reads it has typed those.
 * @throws AuthenticationError with the code that it had
 */
export function inOwnWords<T>(names: Readonly<Record<string, string | undefined>>, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof AuthenticationError)) throw error
    const words = (text: string): string =>
      text
        // The function it was passed to.
        .replace(/^\w+: /, '')
        .replace(/`(\w+)`|\b[a-z]+[A-Z]\w+/g, (said, quoted: string | undefined) => names[quoted ?? said] ?? said)
    const { code, message, remediation, retryable } = error
    throw new AuthenticationError({ code, message: words(message), remediation: words(remediation), retryable, cause: error })
  }
}
