import { AuthenticationError, SfStreamError, textOf } from './errors.ts'

/** What a caller's auth provider threw, as it is where it is ours. */
export function providerFailed(error: unknown): SfStreamError {
  if (error instanceof SfStreamError) return error
  return new AuthenticationError({
    code: 'login_refused',
    message: `The auth provider failed: ${textOf(error)}.`,
    remediation: 'See the cause; mark passing failures as retryable.',
    cause: error,
  })
}
