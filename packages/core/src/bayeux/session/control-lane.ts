import { backoffMs, failedOnce, limitDelayMs } from '../machine/backoff.ts'
import { bareChannel } from '../wire/channel.ts'
import { chunked, replayValue } from '../wire/encode.ts'
import { type Fault, messageFault, transientFault } from '../wire/fault.ts'
import type { BayeuxMessage, OutgoingMessage } from '../wire/message.ts'
import { shortDeadline } from './deadlines.ts'
import type { FeedEntry } from './feed-entry.ts'
import { isConnectReply, isFailure } from './findings.ts'
import { verdict } from './retry-policies.ts'
import type { Reply, Session } from './session.ts'
import { interrupted, knownError, noReply, notAnswered } from './session-errors.ts'

/**
 * Every request besides handshake and connect, one at a time beside the held poll: unsubscribes first, then
 * subscribes, many to a request, then the caller's own messages. [PROTOCOL B2]
 */
export interface ControlLane {
  /** Sends what there is to send, if the session can take it. */
  pump(): void
  /** Unsubscribes whatever the org holds; false where the session has to deal with something else first. [PROTOCOL C7] */
  callOff(signal: AbortSignal): Promise<boolean>
  send(message: OutgoingMessage): Promise<BayeuxMessage[]>
  /** The session can take requests. */
  established(): void
  /** Requests still on their way are void. */
  interrupt(): void
}

interface Parcel {
  message: OutgoingMessage
  resolve(replies: BayeuxMessage[]): void
  reject(reason: unknown): void
}

export function controlLane(session: Session): ControlLane {
  return new OneByOne(session)
}

class OneByOne implements ControlLane {
  readonly #session: Session
  #open = false
  #working: AbortController | undefined
  /** Unsubscribed in this session, with the number of polls sent by then: until a later one brings nothing, events may be queued. */
  #left: Map<string, number> | undefined
  #parcels: Parcel[] = []
  /** Events were left out that a connect under way may precede. [PROTOCOL U9] */
  #crossed = false

  constructor(session: Session) {
    this.#session = session
  }

  pump(): void {
    if (!this.#open || this.#working) return
    this.#working = new AbortController()
    void this.#work(this.#working)
  }

  async #work(mine: AbortController): Promise<void> {
    const { registry, loop } = this.#session
    const { signal } = mine
    while (!signal.aborted) {
      // What came before a request leaves cannot cross with its reply; a refresh, or the request's failure, would drop it.
      if (loop.untaken) {
        await loop.takeUp()
        continue
      }
      if (this.#crossed) {
        this.#crossed = false
        if (!this.#session.refresh()) registry.endAll()
        continue
      }
      const stale = registry.stale()
      const wanted = registry.wanted()
      // Its events of now would overtake those of the replay, and no request stops them. [PROTOCOL U8]
      if (wanted.some(({ request }) => registry.kept.includes(request.channel)))
        return this.#session.dispatch({ type: 'lost', reason: 'the org kept a channel' })
      const parcel = stale.length + wanted.length === 0 && this.#parcels.shift()
      if (parcel === undefined) break
      // No connect leaves meanwhile: the replies could cross. [PROTOCOL H5]
      const letGo = loop.holding.hold()
      try {
        if (stale.length > 0) await this.#unsubscribe(stale, signal)
        else if (parcel) await this.#deliver(parcel, signal)
        else await this.#subscribe(wanted, signal)
      } finally {
        letGo()
      }
    }
    if (this.#working === mine) this.#working = undefined
  }

  /** Posts and reads; what concerns the session is passed on, and undefined returned. */
  async #request(messages: BayeuxMessage[], what: string, signal: AbortSignal): Promise<Reply | undefined> {
    const session = this.#session
    const to = session.address()
    if (!to || signal.aborted) return undefined
    // What a connect brings meanwhile waits: the replies could cross. [PROTOCOL U9]
    session.registry.control(true)
    try {
      const response = await session.conversation.post(to, messages, shortDeadline, signal)
      if (signal.aborted) return undefined
      await session.loop.takeUp()
      if (signal.aborted) return undefined
      const reply = session.take(response, what)
      if (signal.aborted) return undefined
      // A request the org will not read says nothing about the session: its parts are tried alone.
      if (reply.fault && reply.fault.kind !== 'config') await session.fault('subscribe', reply.fault, reply)
      else if (reply.advice) session.dispatch({ type: 'advised', advice: reply.advice })
      if (signal.aborted) return undefined
      this.#crossed ||= !reply.whole
      return reply
    } catch (error) {
      if (!signal.aborted) await session.fault('subscribe', transientFault(knownError(error)))
      return undefined
    } finally {
      session.registry.control(false)
    }
  }

  async callOff(signal: AbortSignal): Promise<boolean> {
    const { registry } = this.#session
    while (registry.atOrg.length > 0) if (!(await this.#unsubscribe(registry.atOrg, signal))) return false
    return true
  }

  /** As many as one request takes. */
  async #unsubscribe(channels: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { registry, loop } = this.#session
    const [chunk = []] = chunked(channels.map((subscription) => this.#session.outgoing({ channel: '/meta/unsubscribe', subscription })))
    const reply = await this.#request(chunk, 'unsubscribe', signal)
    if (!reply) return false
    this.#left ??= new Map()
    for (const message of chunk) {
      const channel = message.subscription as string
      const own = replyTo(message, reply.decoded.meta, chunk.length === 1)
      // Events of a closed feed go nowhere: it matters only when the channel is wanted again.
      if (!own || isFailure(own)) registry.kept = registry.kept.concat(channel)
      registry.letGo(channel)
      this.#left.set(channel, loop.sent)
    }
    return true
  }

  /** Whether events from before an unsubscribe may still come, and overtake the replay. [PROTOCOL U8] */
  #mayOvertake({ request: { channel } }: FeedEntry): boolean {
    return this.#session.loop.empty <= (this.#left?.get(channel) ?? -1)
  }

  /** As many as one request takes. */
  async #subscribe(wanted: readonly FeedEntry[], signal: AbortSignal): Promise<void> {
    const { registry, loop } = this.#session
    if (wanted.some((entry) => this.#mayOvertake(entry)) && this.#session.refresh()) return
    const together = wanted[0]?.alone ? wanted.slice(0, 1) : wanted
    const [chunk = []] = chunked(together.map((entry) => this.#session.outgoing(subscribeMessage(entry))))
    const entries = together.slice(0, chunk.length)
    for (const entry of entries) {
      entry.stage = 'asking'
      // From here on the org may hold it, whether its reply arrives or not: it is unsubscribed before it is asked for again.
      registry.atOrg = registry.atOrg.concat(entry.request.channel)
    }
    const { sent, answered } = loop
    const reply = await this.#request(chunk, 'subscribe', signal)
    if (!reply) return
    const besideConnect = sent !== answered || loop.sent !== sent
    for (const [at, entry] of entries.entries()) {
      if (reply.fault) registry.letGo(entry.request.channel)
      // Closed while it was asked for.
      if (entry.stage !== 'asking') continue
      if (reply.fault) {
        if (chunk.length === 1) return registry.end(entry, reply.fault.error)
        entry.alone = true
        entry.stage = 'wanted'
        continue
      }
      const own = replyTo(chunk[at] as BayeuxMessage, reply.decoded.meta, chunk.length === 1)
      if (!own) return this.#session.fault('subscribe', transientFault(noReply('subscribe')))
      if (isFailure(own)) await this.#refused(entry, messageFault({ ...own, subscription: entry.request.channel }, 'subscribe'), signal)
      // What cannot be asked for again is let through all the same. [PROTOCOL U9]
      else if (besideConnect && entry.replied && entry.request.position !== 'new' && entry.request.position !== 'off') {
        entry.stage = 'crossed'
        this.#crossed = true
      } else entry.accept()
      // The session may have gone meanwhile: entries that ended with it are no business of the next one.
      if (signal.aborted) return
    }
  }

  /** A refusal concerns this channel alone. [PROTOCOL U3-U5] */
  async #refused(entry: FeedEntry, { kind, error }: Fault, signal: AbortSignal): Promise<void> {
    const { platform, options, registry } = this.#session
    const { channel, failOnLimit } = entry.request
    const policy = options.retry.subscribe
    registry.letGo(channel)
    entry.attempts = failedOnce(entry.attempts, platform.now())
    const { count: attempt } = entry.attempts
    const isLimit = kind === 'event-limit' || kind === 'client-limit'
    const judged = await verdict(policy, error, attempt, { platform, signal })
    if (signal.aborted || entry.stage !== 'asking') return
    const tryAgain = judged ?? (kind === 'busy' || (isLimit && options.limits === 'wait' && !failOnLimit))
    const delayMs =
      isLimit && judged === undefined
        ? limitDelayMs(entry.attempts, platform.random())
        : backoffMs(policy, entry.attempts, platform.now(), platform.random())
    if (!tryAgain || delayMs === undefined) return registry.end(entry, error)
    this.#session.report(
      isLimit ? { type: 'limit', error, delayMs, channel } : { type: 'retry', what: 'subscribe', attempt, delayMs, error, channel },
    )
    entry.stage = 'waiting'
    entry.cancelRetry = platform.delay(() => {
      entry.stage = 'wanted'
      this.pump()
    }, delayMs)
  }

  async #deliver({ message, resolve, reject }: Parcel, signal: AbortSignal): Promise<void> {
    const reply = await this.#request([this.#session.outgoing(message)], 'send', signal)
    if (reply && !reply.fault) resolve(reply.decoded.all)
    else reject(reply?.fault ? reply.fault.error : notAnswered())
  }

  send(message: OutgoingMessage): Promise<BayeuxMessage[]> {
    return new Promise((resolve, reject) => {
      this.#parcels.push({ message, resolve, reject })
      this.pump()
    })
  }

  established(): void {
    this.#open = true
    this.pump()
  }

  interrupt(): void {
    this.#open = false
    this.#crossed = false
    this.#left = undefined
    this.#working?.abort(interrupted)
    this.#working = undefined
    for (const { reject } of this.#parcels.splice(0)) reject(interrupted)
  }
}

function subscribeMessage({ request: { channel, position } }: FeedEntry): OutgoingMessage {
  const message: OutgoingMessage = { channel: '/meta/subscribe', subscription: channel }
  // The key is the channel without a filter; a map without it is refused. [PROTOCOL U2]
  if (position !== 'off') message.ext = { replay: { [bareChannel(channel)]: replayValue(position) } }
  return message
}

/** By id; else by channel; else, for a request that is alone, whatever was answered. Some refusals carry neither. */
function replyTo(message: BayeuxMessage, meta: readonly BayeuxMessage[], alone: boolean): BayeuxMessage | undefined {
  const nameless = meta.filter(({ id }) => id === undefined)
  return (
    meta.find(({ id }) => id !== undefined && String(id) === message.id) ??
    nameless.find(({ subscription }) => subscription === message.subscription) ??
    (alone ? nameless.find((reply) => !isConnectReply(reply)) : undefined)
  )
}
