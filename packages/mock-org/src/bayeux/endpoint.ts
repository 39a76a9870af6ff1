import type { BayeuxMessage } from '@sfstream/core'
import { bearer } from '../auth/bearer.ts'
import type { Exchange } from '../exchange.ts'
import { nestsTooDeep, parseJson, toJson } from '../json.ts'
import type { World } from '../world.ts'
import { cookie, routeToNode } from './affinity.ts'
import { connect } from './connect.ts'
import { takeEvents } from './delivery.ts'
import { handshake } from './handshake.ts'
import { failure, type Reply, success } from './reply.ts'
import type { Session } from './session.ts'
import { subscribe, unsubscribe } from './subscribe.ts'
import * as texts from './texts.ts'

/** What one message of a request is answered with. */
export interface Outcome {
  replies: Reply[]
  /** The session whose events may ride on this reply. */
  session?: Session | undefined
}

/** What the handlers of single messages know about their request. */
export interface CometdRequest {
  readonly exchange: Exchange
  readonly node: number
  /** The token of the Authorization header. */
  readonly token: string | undefined
  readonly version: number
  /** A connect is held only when it came alone. */
  readonly mayHold: boolean
}

const json = { 'Content-Type': 'application/json;charset=UTF-8', 'Cache-Control': 'no-cache, no-store' }

/** `POST /cometd/{version}`. Suffixes such as `/handshake` name the message type for the reader only. */
export async function cometd(
  world: World,
  exchange: Exchange,
  method: string,
  path: string,
  authorization: string | null,
): Promise<Response> {
  if (method !== 'POST') return new Response('Only POST allowed', { status: 405, headers: { 'Content-Type': 'text/html' } })
  const { switches } = world
  if (new TextEncoder().encode(exchange.body).length > switches.maxRequestBytes) {
    if (switches.sizeErrors === 'http-413')
      return new Response('Maximum Request Size Exceeded', { status: 413, headers: { 'Content-Type': 'text/html' } })
    const replies = (exchange.messages ?? []).map((message) => failure(message, { error: texts.tooLarge }))
    return new Response(toJson(replies), { status: 200, headers: json })
  }
  const messages = exchange.messages ?? readMessages(exchange.body)
  if (!messages) return new Response('Bad Request', { status: 400, headers: { 'Content-Type': 'text/html' } })
  const { version, refusal } = endpointVersion(world, path)
  if (refusal && switches.versionErrors === 'http-400') return new Response(refusal.slice('400::'.length), { status: 400 })
  const node = routeToNode(world, exchange)
  const token = bearer(authorization)
  const outcomes: Outcome[] = []
  for (const message of messages) {
    const request: CometdRequest = { exchange, node, token, version, mayHold: messages.length === 1 }
    if (refusal) outcomes.push({ replies: [failure(message, { error: refusal, reconnect: 'none', interval: false })] })
    else outcomes.push(planned(exchange, message) ?? (await answer(world, request, message)))
  }
  const refused = outcomes.some(({ replies }) => replies.some(refusesToken))
  return new Response(body(world, outcomes), { status: refused ? switches.authErrorStatus : 200, headers: json })
}

function refusesToken({ error, ext }: Reply): boolean {
  const { failureReason } = (ext?.sfdc ?? {}) as { failureReason?: string }
  return (failureReason ?? error ?? '').startsWith('401:')
}

export function readMessages(text: string): BayeuxMessage[] | undefined {
  try {
    const value = parseJson(text)
    const list = Array.isArray(value) ? value : [value]
    if (nestsTooDeep(list)) return undefined
    return list.length > 0 && list.every((item) => item !== null && typeof item === 'object') ? (list as BayeuxMessage[]) : undefined
  } catch {
    return undefined
  }
}

function endpointVersion(world: World, path: string): { version: number; refusal?: string } {
  const [, , first = '', second = ''] = path.split('/')
  // Durable replay had an address of its own in 36.0.
  const given = first === 'replay' ? second : first
  if (!/^\d+(\.\d+)?$/.test(given)) return { version: 0, refusal: texts.versionMissing }
  const version = Number(given)
  const newest = Number(world.versions.at(-1) ?? '67.0')
  return version < world.switches.oldestVersion || version > newest ? { version, refusal: texts.versionUnsupported } : { version }
}

/** The answer of an injected failure, when this message is the one it is meant for. */
function planned(exchange: Exchange, message: BayeuxMessage): Outcome | undefined {
  const { fault, faultOn } = exchange
  if (!fault || (faultOn !== 'cometd' && faultOn !== 'any' && message.channel !== `/meta/${faultOn}`)) return undefined
  const reply = failure(message, {
    error: fault.error,
    failureReason: fault.failureReason,
    reconnect: fault.reconnect,
    interval: message.channel !== '/meta/handshake',
    clientId: message.clientId,
  })
  for (const key of fault.without ?? []) delete reply[key]
  return { replies: fault.kicked ? [{ channel: '/meta/disconnect' }, reply] : [reply] }
}

async function answer(world: World, request: CometdRequest, message: BayeuxMessage): Promise<Outcome> {
  switch (message.channel) {
    case '/meta/handshake':
      return handshake(world, request, message)
    case '/meta/connect':
    case '/meta/subscribe':
    case '/meta/unsubscribe':
    case '/meta/disconnect':
      return inSession(world, request, message)
    default:
      // Publishing over CometD is not supported: facts 1.2.
      return { replies: [failure(message, { error: texts.restrictedChannel })] }
  }
}

async function inSession(world: World, request: CometdRequest, message: BayeuxMessage): Promise<Outcome> {
  const { sessions, switches, tokens, clock } = world
  const { clientId } = message
  if (clientId === undefined) return { replies: [failure(message, { error: texts.notHandshaken, reconnect: 'handshake' })] }
  const session = sessions.find(clientId, request.node)
  if (!session) {
    const reply = failure(message, { error: texts.unknownClient(switches.unknownClientCode), reconnect: 'handshake' })
    if (!switches.bareUnknownClient || message.channel === '/meta/connect') return { replies: [reply] }
    return { replies: [{ error: reply.error!, successful: false, advice: reply.advice! }] }
  }
  const browser = cookie(request.exchange, 'BAYEUX_BROWSER')
  if (switches.requireBrowserCookie && browser === undefined) {
    return { replies: [failure(message, { error: texts.noCookie(clientId), clientId })] }
  }
  const refused = (error: string): Outcome => ({ replies: [failure(message, { error, reconnect: 'none', clientId })] })
  if (request.token === undefined) return refused(texts.authenticationRequired)
  const token = tokens.onSession(request.token)
  if (!token || switches.ipLocked) return refused(texts.authenticationInvalid)
  if (token.userId !== session.userId || (browser !== undefined && browser !== session.browser)) return refused(texts.otherUser)
  session.token = request.token
  if (!session.held) session.expiresAt = clock.now() + switches.sessionExpiryMs
  switch (message.channel) {
    case '/meta/connect':
      return connect(world, request, session, message)
    case '/meta/subscribe':
      return { replies: [subscribe(world, session, message)], session }
    case '/meta/unsubscribe':
      return { replies: [unsubscribe(session, message)], session }
    default:
      sessions.remove(session, { kind: 'disconnected' })
      return { replies: [success(message, { clientId })] }
  }
}

function body(world: World, outcomes: readonly Outcome[]): string {
  const { switches } = world
  const connected = outcomes.some(({ replies }) => replies.some((reply) => reply.channel === '/meta/connect'))
  const carries = connected || switches.dataOn === 'any-reply'
  const session = outcomes.find((outcome) => outcome.session)?.session
  const data = carries && session ? takeEvents(world, session) : []
  const replies = outcomes.flatMap((outcome) => outcome.replies).map((reply) => toJson(switches.numericIds ? numbered(reply) : reply))
  if (switches.reverseReplies) replies.reverse()
  return `[${(switches.dataOrder === 'before-reply' ? [...data, ...replies] : [...replies, ...data]).join(',')}]`
}

function numbered(reply: Reply): Reply {
  return typeof reply.id === 'string' && /^\d{1,15}$/.test(reply.id) ? { ...reply, id: Number(reply.id) } : reply
}
