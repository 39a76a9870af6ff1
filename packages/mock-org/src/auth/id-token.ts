import type { World } from '../world.ts'
import type { CryptoKey } from './accounts.ts'
import { identityUrl } from './oauth-reply.ts'

export interface IdentityKey {
  readonly privateKey: CryptoKey
  readonly published: Readonly<Record<string, unknown>> & { readonly kid: string }
}

export interface Identity {
  issuer: string
  userId: string
  clientId: string
  /** What the client sent to the authorize endpoint to know its own login by. */
  nonce: string | undefined
}

const lifeSeconds = 120

/** For whoever asks for the scope `openid`: facts 1.4. */
export async function idToken(world: World, { issuer, userId, clientId, nonce }: Identity): Promise<string> {
  const { privateKey, published } = await identityKey(world)
  const { SignJWT } = await import('jose')
  const now = Math.floor(world.clock.now() / 1_000)
  return new SignJWT(nonce === undefined ? {} : { nonce })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: published.kid })
    .setIssuer(issuer)
    .setSubject(identityUrl(world, userId))
    .setAudience(clientId)
    .setIssuedAt(now)
    .setExpirationTime(now + lifeSeconds)
    .sign(privateKey)
}

/** `GET /services/oauth2/id/keys`. */
export async function identityKeys(world: World): Promise<{ keys: IdentityKey['published'][] }> {
  return { keys: [(await world.track(identityKey(world))).published] }
}

function identityKey({ identityKey: kept }: World): Promise<IdentityKey> {
  kept.made ??= (async () => {
    const { exportJWK, generateKeyPair } = await import('jose')
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    return { privateKey, published: { ...(await exportJWK(publicKey)), kid: '1', alg: 'RS256', use: 'sig' } }
  })()
  return kept.made
}
