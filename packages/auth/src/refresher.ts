import { AuthenticationError, type OrgSession, type Platform } from '@sfstream/core'
import { deadlineReached, required, untilAborted, withDeadline } from '@sfstream/core/internal'
import { safeCause } from './redact.ts'
import type { LoginContext } from './session-cache.ts'
import { spaced } from './spaced.ts'
import { askTokenEndpoint } from './token-endpoint.ts'
import { replySession } from './token-login.ts'
import { readTokenReply, type TokenReply } from './token-reply.ts'

/** What every flow with refresh tokens takes. */
export interface RefreshOptions {
  clientId: string
  /** Left out for apps that do not require it. */
  clientSecret?: string
  /**
   * Called with each new refresh token, and awaited before the session is handed out: store it, the old one is dead. When it
   * fails, or takes over a minute, the login fails with `store_failed`, and the next attempt calls it again with the same token
   * before anything else.
   */
  onRotate?: (refreshToken: string) => unknown
}

type Context = Pick<LoginContext, 'signal' | 'platform'>

export interface Refresher {
  /** What must never show in an error. */
  readonly secrets: readonly string[]
  readonly hasToken: boolean
  /** Takes what a user has just granted; an older refresh token is forgotten. */
  accept(reply: TokenReply, platform: Platform): Promise<OrgSession>
  /** A caller that leaves does not stop it: the reply may bring a new refresh token, and the old one is dead. */
  refresh(context: Context): Promise<OrgSession>
}

/** A refresh token that is not stored yet, and what became of the request that brought it. */
interface Rotation {
  token: string
  at: number
  session: () => OrgSession
}

const storeLimitMs = 60_000
/** A session that waited for longer than this until its refresh token could be stored may have ended. */
const freshMs = 600_000

/**
 * Keeps a refresh token, and has each new one stored before anything else is done with the reply that brought it.
 * @throws AuthenticationError `missing_credential`
 */
export function refresher(factory: string, host: URL, initial: string | undefined, options: RefreshOptions): Refresher {
  const { clientId, clientSecret, onRotate } = options
  const secret = clientSecret === undefined ? {} : { clientSecret }
  required(factory, { clientId, ...secret, ...(initial === undefined ? {} : { refreshToken: initial }) })
  let token = initial
  let unsaved: Rotation | undefined
  let renewing: Promise<OrgSession> | undefined
  const secrets = (): string[] => [token, clientSecret].filter((each) => each !== undefined)

  const save = async (rotation: Rotation, known: readonly string[], platform: Platform): Promise<OrgSession> => {
    unsaved = rotation
    try {
      await withDeadline(storeLimitMs, { platform }, async () => onRotate?.(rotation.token))
    } catch (error) {
      const why = error === deadlineReached ? `did not end within ${storeLimitMs / 1000} s` : 'failed'
      throw new AuthenticationError({
        code: 'store_failed',
        message: `onRotate ${why}: the new refresh token is in memory only, and the old one no longer works.`,
        remediation: 'Mend the store behind `onRotate`; the next attempt calls it again with the same token.',
        retryable: true,
        ...(error === deadlineReached ? {} : { cause: safeCause(error, [...known, rotation.token]) }),
      })
    }
    if (unsaved === rotation) unsaved = undefined
    return rotation.session()
  }

  const renew = async (platform: Platform): Promise<OrgSession> => {
    const known = secrets()
    const late = unsaved
    if (late) {
      const session = await save(late, known, platform)
      if (Math.abs(platform.now() - late.at) < freshMs) return session
    }
    const asked = token ?? ''
    const form = {
      grant_type: 'refresh_token',
      client_id: clientId,
      ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
      refresh_token: asked,
    }
    let next: string | undefined
    const { signal } = new AbortController()
    const session = await askTokenEndpoint({ host, form, secrets: known, signal, platform }, (text) => {
      const read = readTokenReply(text)
      if (read.kind !== 'refusal') next = read.refreshToken
      return read
    }).then(
      (reply) => () => replySession(reply, host),
      (error: unknown) => (): never => {
        throw error
      },
    )
    // Kept and stored first, whatever else the reply may hold: the old token is dead. Unless the user has granted another meanwhile.
    if (next === undefined || next === asked || token !== asked) return session()
    token = next
    return save({ token: next, at: platform.now(), session }, known, platform)
  }

  return {
    get secrets() {
      return secrets()
    },
    get hasToken() {
      return token !== undefined
    },
    accept(reply, platform) {
      const known = secrets()
      const next = reply.refresh_token
      const isNew = next !== undefined && next !== token
      token = next
      unsaved = undefined
      // Of another user, perhaps.
      renewing = undefined
      const session = (): OrgSession => replySession(reply, host)
      return isNew
        ? save({ token: next, at: platform.now(), session }, [...known, reply.access_token], platform)
        : (async () => session())()
    },
    refresh: spaced(async ({ signal, platform }: Context) => {
      signal.throwIfAborted()
      if (!renewing) {
        const mine = renew(platform).finally(() => {
          if (renewing === mine) renewing = undefined
        })
        renewing = mine
      }
      return untilAborted(renewing, signal)
    }),
  }
}

/** Whether a refresh failed because the refresh token is no longer good: only the user can give another. */
export function refreshEnded(error: unknown): error is AuthenticationError {
  return error instanceof AuthenticationError && error.code === 'login_refused' && /refresh token/i.test(error.server?.text ?? '')
}
