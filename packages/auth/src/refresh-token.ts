import type { AuthProvider } from '@sfstream/core'
import { required } from '@sfstream/core/internal'
import { given, hostNames, refreshNames } from './given.ts'
import { type LoginHostOptions, loginHost } from './login-host.ts'
import { type RefreshOptions, refresher } from './refresher.ts'
import { sessionCache } from './session-cache.ts'

export interface RefreshTokenOptions extends LoginHostOptions, RefreshOptions {
  refreshToken: string
}

/**
 * The refresh token flow: acts for the user who authorized the app.
 * @throws AuthenticationError `missing_credential`, `bad_option`, `bad_login_url`
 */
export function refreshToken(options: RefreshTokenOptions): AuthProvider {
  const names = { ...hostNames, ...refreshNames, refreshToken: true } as const
  required('refreshToken', { refreshToken: given('refreshToken', options, names).refreshToken })
  const refreshing = refresher('refreshToken', loginHost(options), options.refreshToken, options)
  return sessionCache((context) => refreshing.refresh(context))
}
