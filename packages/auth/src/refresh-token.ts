import { AuthenticationError, type AuthProvider } from '@sfstream/core'
import { type LoginHostOptions, loginHost } from './login-host.ts'
import { safeCause } from './redact.ts'
import { required } from './required.ts'
import { sessionCache } from './session-cache.ts'
import { requestToken } from './token-endpoint.ts'
import { replySession } from './token-login.ts'
import type { TokenReply } from './token-reply.ts'

export interface RefreshTokenOptions extends LoginHostOptions {
  refreshToken: string
  clientId: string
  /** Left out for apps that do not require it. */
  clientSecret?: string
  /**
   * Called with the new refresh token where the app rotates them, and awaited before the session is handed out: store it,
   * the old one is dead. When it fails, the login fails with `store_failed`, and the next attempt calls it again with the same
   * token before anything else.
   */
  onRotate?: (refreshToken: string) => unknown
}

/**
 * The refresh token flow: acts for the user who authorized the app.
 * @throws AuthenticationError `missing_credential`, `bad_option`, `bad_login_url`
 */
export function refreshToken(options: RefreshTokenOptions): AuthProvider {
  const { clientId, clientSecret, onRotate } = options
  required('refreshToken', { refreshToken: options.refreshToken, clientId, ...(clientSecret === undefined ? {} : { clientSecret }) })
  const host = loginHost(options)
  let token = options.refreshToken
  // The reply whose refresh token could not be stored yet.
  let unsaved: TokenReply | undefined

  const save = async (reply: TokenReply, secrets: readonly string[]): Promise<void> => {
    unsaved = reply
    try {
      await onRotate?.(token)
    } catch (error) {
      throw new AuthenticationError({
        code: 'store_failed',
        message: 'onRotate failed: the new refresh token is in memory only, and the old one no longer works.',
        remediation: 'Mend the store behind `onRotate`; the next attempt calls it again with the same token.',
        retryable: true,
        cause: safeCause(error, [...secrets, token, reply.access_token]),
      })
    }
    unsaved = undefined
  }

  return sessionCache(async ({ signal, platform }) => {
    const secrets = [token, ...(clientSecret === undefined ? [] : [clientSecret])]
    let reply = unsaved
    if (reply) {
      await save(reply, secrets)
      return replySession(reply, host)
    }
    const form = {
      grant_type: 'refresh_token',
      client_id: clientId,
      ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
      refresh_token: token,
    }
    reply = await requestToken({ host, form, secrets, signal, platform })
    // Kept and stored first, whatever else the reply may hold: the old token is dead.
    if (reply.refresh_token !== undefined && reply.refresh_token !== token) {
      token = reply.refresh_token
      await save(reply, secrets)
    }
    return replySession(reply, host)
  })
}
