import { AuthenticationError, type OrgSession } from '@sfstream/core'
import { required } from '@sfstream/core/internal'
import { safeCause } from './redact.ts'
import type { LoginContext } from './session-cache.ts'
import { requestToken } from './token-endpoint.ts'
import { replySession } from './token-login.ts'
import type { TokenReply } from './token-reply.ts'

/** What every flow with refresh tokens takes. */
export interface RefreshOptions {
  clientId: string
  /** Left out for apps that do not require it. */
  clientSecret?: string
  /**
   * Called with each new refresh token, and awaited before the session is handed out: store it, the old one is dead. When it
   * fails, the login fails with `store_failed`, and the next attempt calls it again with the same token before anything else.
   */
  onRotate?: (refreshToken: string) => unknown
}

export interface Refresher {
  /** What must never show in an error. */
  readonly secrets: readonly string[]
  readonly hasToken: boolean
  /** Takes what a user has just granted; an older refresh token is forgotten. */
  accept(reply: TokenReply): Promise<OrgSession>
  refresh(context: Pick<LoginContext, 'signal' | 'platform'>): Promise<OrgSession>
}

/**
 * Keeps a refresh token, and has each new one stored before anything else is done with the reply that brought it.
 * @throws AuthenticationError `missing_credential`
 */
export function refresher(factory: string, host: URL, initial: string | undefined, options: RefreshOptions): Refresher {
  const { clientId, clientSecret, onRotate } = options
  const secret = clientSecret === undefined ? {} : { clientSecret }
  required(factory, { clientId, ...secret, ...(initial === undefined ? {} : { refreshToken: initial }) })
  let token = initial
  // The reply whose refresh token could not be stored yet.
  let unsaved: TokenReply | undefined
  const secrets = (): string[] => [token, clientSecret].filter((each) => each !== undefined)

  const save = async (reply: TokenReply, known: readonly string[]): Promise<OrgSession> => {
    const next = reply.refresh_token
    if (next !== undefined) {
      unsaved = reply
      try {
        await onRotate?.(next)
      } catch (error) {
        throw new AuthenticationError({
          code: 'store_failed',
          message: 'onRotate failed: the new refresh token is in memory only, and the old one no longer works.',
          remediation: 'Mend the store behind `onRotate`; the next attempt calls it again with the same token.',
          retryable: true,
          cause: safeCause(error, [...known, next, reply.access_token]),
        })
      }
      if (unsaved === reply) unsaved = undefined
    }
    return replySession(reply, host)
  }

  return {
    get secrets() {
      return secrets()
    },
    get hasToken() {
      return token !== undefined
    },
    accept(reply) {
      const known = secrets()
      const isNew = reply.refresh_token !== token
      token = reply.refresh_token
      unsaved = undefined
      return isNew ? save(reply, known) : Promise.resolve(replySession(reply, host))
    },
    async refresh({ signal, platform }) {
      const known = secrets()
      if (unsaved) return save(unsaved, known)
      const asked = token ?? ''
      const form = {
        grant_type: 'refresh_token',
        client_id: clientId,
        ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
        refresh_token: asked,
      }
      const reply = await requestToken({ host, form, secrets: known, signal, platform })
      // Kept and stored first, whatever else the reply may hold: the old token is dead. Unless the user has granted another meanwhile.
      if (reply.refresh_token === undefined || reply.refresh_token === asked || token !== asked) return replySession(reply, host)
      token = reply.refresh_token
      return save(reply, known)
    },
  }
}

/** Whether a refresh failed because the refresh token is no longer good: only the user can give another. */
export function refreshEnded(error: unknown): error is AuthenticationError {
  return error instanceof AuthenticationError && error.code === 'login_refused' && /refresh token/i.test(error.server?.text ?? '')
}
