import type { BayeuxMessage } from '@sfstream/core'
import { clientId } from '../ids.ts'
import { textOf } from '../text-of.ts'
import type { World } from '../world.ts'
import { handshakeCookies } from './affinity.ts'
import type { CometdRequest, Outcome } from './endpoint.ts'
import { failure, replayExtension, success } from './reply.ts'
import * as texts from './texts.ts'

/** A good reply has no advice: a client that keeps the advice of an earlier failure loops on handshakes (facts 2.1). */
export function handshake(world: World, request: CometdRequest, message: BayeuxMessage): Outcome {
  const { clock, switches, sessions, tokens, limits } = world
  const denied = (failureReason: string): Outcome => ({
    replies: [failure(message, { error: texts.handshakeDenied, failureReason, reconnect: 'none', interval: false })],
  })
  world.counts.handshakes += 1
  const types = [message.supportedConnectionTypes ?? []].flat()
  if (!types.includes('long-polling')) {
    return {
      replies: [failure(message, { error: texts.invalidConnectionType(types.map(textOf).join(',')), reconnect: 'none', interval: false })],
    }
  }
  if (request.token === undefined) return denied(texts.authenticationRequired)
  const token = tokens.check(request.token)
  // JWT access tokens open REST only: facts 1.4.
  if (!token || token.restOnly || switches.ipLocked) return denied(texts.authenticationInvalid)
  const alive = sessions.all()
  const { browser } = handshakeCookies(world, request.exchange)
  if (switches.oneSessionPerBrowser) {
    for (const other of alive) if (other.browser === browser) sessions.remove(other, { kind: 'expired' })
  }
  if (sessions.all().length >= limits.concurrentClients) return denied(texts.clientLimit)
  const now = clock.now()
  const id = clientId(world.random)
  sessions.add({
    clientId: id,
    browser,
    node: request.node,
    token: request.token,
    userId: token.userId,
    version: request.version,
    createdAt: now,
    expiresAt: now + switches.sessionExpiryMs,
    connects: 0,
    subscriptions: new Map(),
    queue: [],
    held: undefined,
    flushing: false,
    connectsOpen: 0,
    connectsOpenMax: 0,
    delivered: [],
  })
  return {
    replies: [
      success(message, {
        // Durable replay began with 37.0.
        ...(request.version >= 37 ? { ext: { ...replayExtension } } : {}),
        minimumVersion: '1.0',
        clientId: id,
        supportedConnectionTypes: ['long-polling'],
        version: '1.0',
      }),
    ],
  }
}
