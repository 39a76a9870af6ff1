import { AuthenticationError, type AuthProvider } from '@sfstream/node'

/** Where each option was taken from. */
export type OwnNames = Readonly<Record<string, string | undefined>>

/**
 * Makes a provider that speaks of its options, and has it speak of the flags and variables they were taken from: when it is made, and
 * when it logs in. Whoever reads it has typed those.
 * @throws AuthenticationError with the code that it had
 */
export function inOwnWords(names: OwnNames, make: () => AuthProvider): AuthProvider {
  try {
    const provider = make()
    return {
      getSession: (context) =>
        provider.getSession(context).catch((error: unknown) => {
          throw reworded(error, names)
        }),
    }
  } catch (error) {
    throw reworded(error, names)
  }
}

function reworded(error: unknown, names: OwnNames): unknown {
  if (!(error instanceof AuthenticationError)) return error
  const words = (text: string): string =>
    text
      // The function it was passed to.
      .replace(/^\w+: /, '')
      .replace(/`(\w+)`|\b[a-z]+[A-Z]\w+/g, (said, quoted: string | undefined) => names[quoted ?? said] ?? said)
  const { code, message, remediation, retryable, server } = error
  // A command line has no function to pass.
  const isFixed = code === 'token_refused' && remediation.includes('`refresh`')
  return new AuthenticationError({
    code,
    message: words(message),
    remediation: isFixed ? `Set ${names.accessToken} to a new token, or the variables of a login instead.` : words(remediation),
    retryable,
    cause: error,
    ...(server && { server }),
  })
}
