import { letters, type Random, shortHash } from '../ids.ts'
import type { Switches } from '../switches.ts'

export interface AccessToken {
  readonly value: string
  readonly userId: string
  readonly clientId: string | undefined
  readonly issuedAt: number
  readonly scope: string
  /** JWT access tokens open REST only. */
  readonly restOnly: boolean
  /** Two hours after its last use, by default. */
  expiresAt: number
  revokedAt: number | undefined
}

export interface RefreshToken {
  readonly value: string
  readonly userId: string
  readonly clientId: string
  readonly scope: string
}

export interface TokenStore {
  issue(grant: { userId: string; clientId?: string | undefined; scope?: string }): AccessToken
  /** The token, when it is good now; using it renews it. */
  check(value: string): AccessToken | undefined
  /** The same for a living CometD session, which notices a revocation only when the server next looks. */
  onSession(value: string): AccessToken | undefined
  find(value: string): AccessToken | undefined
  issueRefresh(grant: { userId: string; clientId: string; scope: string }): RefreshToken
  refresh(value: string): RefreshToken | undefined
  removeRefresh(value: string): void
  revoke(value?: string): void
  revokeRefresh(): void
}

export interface TokenStoreOptions {
  now(): number
  random: Random
  switches: Switches
  orgId: string
  sessionTimeoutMs: number
}

/** Per user and app; the oldest is revoked in silence: facts 1.4. */
const refreshTokensKept = 5
/** Access tokens remembered; older ones are forgotten, as if expired. */
const accessTokensKept = 10_000

export function tokenStore({ now, random, switches, orgId, sessionTimeoutMs }: TokenStoreOptions): TokenStore {
  const access = new Map<string, AccessToken>()
  let refreshTokens: RefreshToken[] = []

  const alive = (token: AccessToken | undefined, noticedMs: number): AccessToken | undefined => {
    if (!token || token.expiresAt <= now()) return undefined
    if (token.revokedAt !== undefined && token.revokedAt + noticedMs <= now()) return undefined
    token.expiresAt = now() + sessionTimeoutMs
    return token
  }

  const value = (): string => {
    if (!switches.jwtAccessTokens) return `${orgId}!AR8AQ${letters(random, 92, `${wide}._`)}`
    const part = (text: string): string => btoa(text).replace(/=+$/, '').replace(/\+/g, '-').replace(/\//g, '_')
    return `${part('{"alg":"RS256","typ":"JWT"}')}.${part(`{"iss":"mock","jti":"${letters(random, 16)}"}`)}.${letters(random, 64)}`
  }

  return {
    issue({ userId, clientId, scope = 'api refresh_token' }) {
      const token: AccessToken = {
        value: value(),
        userId,
        clientId,
        issuedAt: now(),
        scope,
        restOnly: switches.jwtAccessTokens,
        expiresAt: now() + sessionTimeoutMs,
        revokedAt: undefined,
      }
      access.set(token.value, token)
      if (access.size > accessTokensKept) access.delete(access.keys().next().value!)
      return token
    },
    check: (text) => alive(access.get(text), 0),
    onSession: (text) => alive(access.get(text), switches.revalidateTokenMs),
    find: (text) => access.get(text),
    issueRefresh(grant) {
      const token = { ...grant, value: `5Aep861${letters(random, 80)}` }
      refreshTokens.push(token)
      const same = refreshTokens.filter((other) => other.userId === token.userId && other.clientId === token.clientId)
      if (same.length > refreshTokensKept) refreshTokens = refreshTokens.filter((other) => other !== same[0])
      return token
    },
    refresh: (text) => refreshTokens.find((token) => token.value === text),
    removeRefresh(text) {
      refreshTokens = refreshTokens.filter((token) => token.value !== text)
    },
    revoke(text) {
      for (const token of access.values()) if (text === undefined || token.value === text) token.revokedAt ??= now()
    },
    revokeRefresh() {
      refreshTokens = []
    },
  }
}

const wide = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

/** Names a token in records. */
export function tokenHash(value: string | undefined): string | undefined {
  return value === undefined ? undefined : shortHash(value)
}
