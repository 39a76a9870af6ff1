import type { BayeuxMessage } from '@sfstream/core'
import { ConnectionLost } from '../exchange.ts'
import { textOf } from '../text-of.ts'
import type { World } from '../world.ts'
import { overDailyLimit } from './delivery.ts'
import type { CometdRequest, Outcome } from './endpoint.ts'
import { failure, success } from './reply.ts'
import type { HoldEnd, Session } from './session.ts'
import * as texts from './texts.ts'

/** Answered at once the first time, with advice; afterwards held until there are events, or 110 s have passed. */
export async function connect(world: World, request: CometdRequest, session: Session, message: BayeuxMessage): Promise<Outcome> {
  const { clock, switches, sessions } = world
  const { clientId } = session
  if (message.connectionType !== 'long-polling') {
    return { replies: [failure(message, { error: texts.invalidConnectionType(textOf(message.connectionType)), clientId })] }
  }
  session.connectsOpen += 1
  session.connectsOpenMax = Math.max(session.connectsOpenMax, session.connectsOpen)
  try {
    session.held?.finish({ kind: 'replaced' })
    const first = session.connects === 0
    session.connects += 1
    const limit = overDailyLimit(world, session)
    if (limit) return { replies: [failure(message, { error: limit, reconnect: 'none', clientId })] }
    const full = { interval: 0, timeout: switches.holdMs, reconnect: 'retry' }
    if (first) return { replies: [success(message, { clientId, advice: full })], session }
    if (sharesBrowser(world, session)) {
      const advice = { ...full, interval: switches.multipleClientsIntervalMs, 'multiple-clients': true }
      return { replies: [success(message, { clientId, advice })], session }
    }
    const holdMs = holdFor(world, message)
    if (session.queue.length > 0 || !request.mayHold || holdMs === 0) return { replies: [success(message, { clientId })], session }
    const end = await hold(world, session, holdMs, request.exchange.signal)
    return ended(world, session, message, end)
  } finally {
    session.connectsOpen -= 1
    if (!session.held && sessions.find(clientId, session.node)) session.expiresAt = clock.now() + switches.sessionExpiryMs
  }
}

function sharesBrowser(world: World, session: Session): boolean {
  return (
    world.switches.secondTab ||
    world.sessions.all().some((other) => other !== session && other.browser === session.browser && other.held !== undefined)
  )
}

function holdFor(world: World, message: BayeuxMessage): number {
  const wanted = message.advice?.timeout
  return world.switches.honourClientTimeout && typeof wanted === 'number' && wanted >= 0
    ? Math.min(wanted, world.switches.holdMs)
    : world.switches.holdMs
}

function hold(world: World, session: Session, holdMs: number, signal: AbortSignal | undefined): Promise<HoldEnd> {
  return new Promise((resolve) => {
    const held = {
      since: world.clock.now(),
      finish(end: HoldEnd): void {
        cancel()
        signal?.removeEventListener('abort', aborted)
        if (session.held === held) session.held = undefined
        resolve(end)
      },
    }
    const aborted = (): void => held.finish({ kind: 'aborted' })
    const cancel = world.clock.delay(() => held.finish({ kind: 'timeout' }), holdMs)
    session.held = held
    // A connected session does not expire: facts 4.1.
    session.expiresAt = Number.POSITIVE_INFINITY
    if (signal?.aborted) aborted()
    else signal?.addEventListener('abort', aborted)
  })
}

function ended(world: World, session: Session, message: BayeuxMessage, end: HoldEnd): Outcome {
  const { clientId } = session
  const { switches } = world
  const goodbye = { channel: '/meta/disconnect' }
  switch (end.kind) {
    case 'data':
    case 'timeout':
      return { replies: [success(message, { clientId })], session }
    case 'replaced':
      if (switches.replacedConnect === 'cut') throw new ConnectionLost('another connect took over')
      return { replies: [success(message, { clientId })] }
    case 'disconnected':
      return { replies: [afterDisconnect(world, session, message)] }
    case 'aborted':
    case 'cut':
      throw new ConnectionLost('the connection was cut')
    case 'expired':
      return { replies: [failure(message, { error: texts.unknownClient(switches.unknownClientCode), reconnect: 'handshake' })] }
    case 'failed': {
      const reply = failure(message, { error: end.error, failureReason: end.failureReason, reconnect: end.reconnect, clientId })
      return { replies: end.kicked ? [goodbye, reply] : [reply] }
    }
    case 'goodbye':
      return { replies: [goodbye] }
  }
}

function afterDisconnect(world: World, session: Session, message: BayeuxMessage): BayeuxMessage {
  const { clientId } = session
  switch (world.switches.disconnectedConnect) {
    case 'successful':
      return success(message, { clientId })
    case 'none-advice':
      return success(message, { clientId, advice: { reconnect: 'none', interval: 0 } })
    case 'unknown-client':
      return failure(message, { error: texts.unknownClient(world.switches.unknownClientCode), reconnect: 'none', clientId })
  }
}
