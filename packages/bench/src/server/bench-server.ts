import { monotonicMs } from '../monotonic.ts'
import { arrive } from './arrivals.ts'
import { type EventBatch, eventBatch } from './event-batch.ts'
import { feedConnect, startPosition } from './feed.ts'
import { gapRecord } from './gap-record.ts'
import { type HttpReply, type HttpRequest, type Respond, serveHttp } from './http-connection.ts'
import { type Listener, listener } from './listener.ts'
import { accepted, badToken, connectAdvice, handshaken, type Message, type Refusal, refused, unknownClient } from './messages.ts'
import type { LoggedRequest, ServerCommands, ServerPlan } from './plan.ts'
import { newSession, type Session } from './sessions.ts'

export interface BenchServer {
  readonly url: string
  readonly commands: ServerCommands
  close(): void
}

const open = Buffer.from('[')
const comma = Buffer.from(',')

/**
 * Just enough Bayeux for a client to stream: prepared bytes behind bare sockets. It judges nothing, so that every client meets the same:
 * a session is found by its clientId, a token is looked at only after `expireToken`.
 */
export async function benchServer(): Promise<BenchServer> {
  let plan: ServerPlan = { feed: { kind: 'hold' } }
  let batch: EventBatch = eventBatch({ events: 1, eventBytes: 400, channels: ['/event/Bench__e'] })
  let validToken: string | undefined
  let log: LoggedRequest[] = []
  let made = 0
  let bareHeld = 0
  const sessions = new Map<string, Session>()
  const record = gapRecord()

  const handle = (request: HttpRequest, respondNow: Respond): void => {
    const respond = delayed(respondNow, plan.delayMs ?? 0)
    if (request.path === '/hold') {
      bareHeld++
      return
    }
    if (request.method !== 'POST') return respond({ parts: [Buffer.from('[]')] })
    const parsed = JSON.parse(request.body) as Message | Message[]
    const messages = Array.isArray(parsed) ? parsed : [parsed]
    const replies: string[] = []
    let connect: { message: Message; session: Session } | undefined
    let headers = ''
    for (const message of messages) {
      const refusal = validToken !== undefined && !request.authorization.endsWith(validToken) ? badToken : undefined
      const session = sessions.get(message.clientId ?? '')
      const reason = refusal ?? (message.channel !== '/meta/handshake' && !session ? unknownClient : undefined)
      if (plan.feed.kind === 'hold') log.push({ atMs: request.receivedAt, channel: message.channel, ok: !reason })
      if (reason) replies.push(refused(message, reason))
      else if (message.channel === '/meta/handshake') {
        const fresh = newSession(++made)
        sessions.set(fresh.clientId, fresh)
        headers = `Set-Cookie: BAYEUX_BROWSER=${fresh.clientId}; Path=/cometd/; HttpOnly\r\n`
        replies.push(handshaken(message, fresh.clientId))
      } else if (message.channel === '/meta/connect') connect = { message, session: session! }
      else replies.push(accepted(message, `"clientId":"${message.clientId}"${subscribe(session!, message)}`))
    }
    if (!connect) return respond({ headers, parts: [Buffer.from(`[${replies.join()}]`)] })
    answerConnect(connect.session, connect.message, replies, request.receivedAt, respond)
  }

  /** Returns what a reply to it says besides. */
  const subscribe = (session: Session, { channel, subscription, ext }: Message): string => {
    const channels = subscription === undefined ? [] : [subscription].flat()
    if (channel === '/meta/subscribe') {
      for (const each of channels) session.channels.add(each)
      session.next = startPosition(plan.feed, session, channels, ext?.replay)
      session.prepared = undefined
      // After the reply to this one.
      if (session.held) setTimeout(() => feed(session), plan.delayMs ?? 0)
    } else if (channel === '/meta/unsubscribe') {
      for (const each of channels) session.channels.delete(each)
    } else if (channel === '/meta/disconnect') {
      session.held?.(undefined, 0)
      sessions.delete(session.clientId)
    }
    return subscription === undefined ? '' : `,"subscription":${JSON.stringify(subscription)}`
  }

  const feed = (session: Session): void => {
    if (!plan.closed) feedConnect(plan.feed, session, batch)
  }

  const answerConnect = (session: Session, message: Message, replies: readonly string[], receivedAt: number, respond: Respond): void => {
    if (session.wroteAt !== undefined && session.connects > 1) record.gap(receivedAt - session.wroteAt)
    session.wroteAt = undefined
    const first = session.connects++ === 0
    session.held = (events, count, refusal) => {
      session.held = undefined
      const own = refusal ? refused(message, refusal) : accepted(message, `"clientId":"${session.clientId}"${first ? connectAdvice : ''}`)
      const tail = Buffer.from(`${replies.map((reply) => `${reply},`).join('')}${own}]`)
      record.reply(count)
      const written = (): void => {
        session.wroteAt = monotonicMs()
      }
      respond({ parts: events ? [open, events, comma, tail] : [open, tail], written })
    }
    if (!first) feed(session)
    if (first || message.advice?.timeout === 0) session.held?.(undefined, 0)
  }

  const refuseHeld = (refusal: Refusal): number => {
    for (const session of sessions.values()) session.held?.(undefined, 0, refusal)
    return monotonicMs() + (plan.delayMs ?? 0)
  }

  const port: Listener = await listener((socket) => serveHttp(socket, handle))
  const commands: ServerCommands = {
    plan(next) {
      plan = next
      const events = next.feed.kind === 'hold' ? 1 : next.feed.batch
      batch = eventBatch({ events, eventBytes: next.eventBytes ?? 400, channels: next.channels ?? ['/event/Bench__e'] })
      validToken = undefined
      sessions.clear()
      bareHeld = 0
      port.hangUp()
      log = []
      record.reset()
    },
    open() {
      plan = { ...plan, closed: false }
      for (const session of sessions.values()) feed(session)
    },
    begin: record.begin,
    figures: record.figures,
    publish: (arrivals) => arrive(arrivals, sessions, batch),
    held: () => bareHeld + [...sessions.values()].filter(({ held, channels }) => held && channels.size > 0).length,
    loseSessions() {
      const at = refuseHeld(unknownClient)
      sessions.clear()
      return at
    },
    expireToken(valid) {
      validToken = valid
      return refuseHeld(badToken)
    },
    async restart(downMs) {
      sessions.clear()
      await port.close()
      await new Promise((resolve) => setTimeout(resolve, downMs))
      await port.open()
      return monotonicMs()
    },
    requests: () => log,
  }
  return { url: `http://127.0.0.1:${port.port}`, commands, close: () => void port.close() }
}

/** The whole round trip is spent before the reply: to who waits for a reply before the next request, both ways cost the same. */
function delayed(respond: Respond, delayMs: number): Respond {
  return delayMs > 0 ? (reply: HttpReply) => void setTimeout(respond, delayMs, reply) : respond
}
