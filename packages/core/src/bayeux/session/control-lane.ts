import { type Deferred, deferred } from '../../async/deferred.ts'
import { HandshakeError, type SfStreamError, StateError } from '../../errors.ts'
import type { Platform } from '../../platform.ts'
import type { SourceStatus } from '../../source/source-status.ts'
import { backoffMs, failedOnce, limitDelayMs } from '../machine/backoff.ts'
import { bareChannel } from '../wire/channel.ts'
import { chunked, replayValue } from '../wire/encode.ts'
import { type Fault, messageFault, transientFault } from '../wire/fault.ts'
import type { BayeuxMessage, OutgoingMessage } from '../wire/message.ts'
import type { Answer, Conversation } from './conversation.ts'
import { shortDeadline } from './deadlines.ts'
import { acceptFeed, type FeedEntry } from './feed-entry.ts'
import type { Registry } from './registry.ts'
import { type RetryPolicies, verdict } from './retry-policies.ts'
import type { Session } from './session.ts'
import { brokenOff, knownError, noReply } from './session-errors.ts'

/**
 * Every request besides handshake and connect, one at a time beside the held poll: unsubscribes first, then
 * subscribes, many to a request, then the caller's own messages. [PROTOCOL B2]
 */
export interface ControlLane {
  /** Sends what there is to send, if the session can take it. */
  pump(): void
  unsubscribe(channel: string): void
  send(message: OutgoingMessage): Promise<BayeuxMessage[]>
  established(): void
  interrupted(error: SfStreamError): void
}

export interface ControlLaneParts {
  platform: Platform
  policies: RetryPolicies
  limits: 'wait' | 'fail'
  conversation: Conversation
  registry: Registry
  session(): Session
  report(status: SourceStatus): void
}

/** An answer, why the org would not read the request, or nothing where the session has to deal with it. */
type Result = (Answer & { ok: true }) | Fault | undefined

interface Parcel {
  message: OutgoingMessage
  replies: Deferred<BayeuxMessage[]>
}

export function controlLane(parts: ControlLaneParts): ControlLane {
  return new OneByOne(parts)
}

class OneByOne implements ControlLane {
  readonly #parts: ControlLaneParts
  #open = false
  #pumping = false
  readonly #unsubscribes = new Set<string>()
  /** Unsubscribed in this session, with the number of polls sent by then: until a later one brings nothing, events may be queued. */
  readonly #left = new Map<string, number>()
  readonly #parcels: Parcel[] = []
  /** Events were left out that a connect under way may precede. [PROTOCOL U9] */
  #crossed = false

  constructor(parts: ControlLaneParts) {
    this.#parts = parts
  }

  pump(): void {
    if (!this.#open || this.#pumping) return
    this.#pumping = true
    const { signal } = this.#parts.session()
    void this.#work(signal).finally(() => {
      this.#pumping = false
      // A session that came meanwhile finds its own work; and work may have come since the last look.
      if (this.#open && (signal !== this.#parts.session().signal || this.#hasWork())) this.pump()
    })
  }

  #hasWork(): boolean {
    return this.#crossed || this.#unsubscribes.size > 0 || this.#parcels.length > 0 || this.#parts.registry.wanted().length > 0
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { registry } = this.#parts
    while (this.#open && !signal.aborted) {
      if (this.#crossed) {
        this.#crossed = false
        if (!this.#parts.session().refresh()) registry.endAll()
        return
      }
      if (!this.#hasWork()) return
      const wanted = registry.wanted()
      // No connect leaves meanwhile: the replies could cross. [PROTOCOL H5]
      const letGo = this.#parts.session().hold()
      try {
        if (this.#unsubscribes.size > 0) await this.#unsubscribe(signal)
        else if (wanted.length > 0) await this.#subscribe(wanted, signal)
        else await this.#deliver(this.#parcels.shift() as Parcel, signal)
      } finally {
        letGo()
      }
    }
  }

  /** Posts and reads; what concerns the session is passed on, and undefined returned. */
  async #request(messages: BayeuxMessage[], what: string, signal: AbortSignal): Promise<Result> {
    // What a connect brings meanwhile waits: the replies could cross. [PROTOCOL U9]
    const settled = this.#parts.registry.control()
    try {
      return await this.#exchange(messages, what, signal)
    } finally {
      settled()
    }
  }

  async #exchange(messages: BayeuxMessage[], what: string, signal: AbortSignal): Promise<Result> {
    const { conversation } = this.#parts
    const session = this.#parts.session()
    const to = session.address()
    if (!to || !session.clientId) return undefined
    let answer: Answer
    try {
      answer = conversation.read(await conversation.post(to, messages, shortDeadline, signal), what)
    } catch (error) {
      if (signal.aborted) return undefined
      answer = { ok: false, fault: transientFault(knownError(error)) }
    }
    if (signal.aborted) return undefined
    if (!answer.ok) {
      // A request the org will not read says nothing about the session: its parts are tried alone.
      if (answer.fault.kind === 'config') return answer.fault
      await session.fault('subscribe', answer.fault, undefined, answer.retryAfterMs)
      return undefined
    }
    const ids = new Set(messages.map((message) => message.id))
    const absorbed = session.absorb(answer, what, (reply) => ids.has(String(reply.id)))
    if (signal.aborted) return undefined
    const broken = answer.complete ? undefined : transientFault(brokenOff())
    if (absorbed.fault ?? broken) {
      await session.fault('subscribe', (absorbed.fault ?? broken) as Fault, absorbed.advice)
      return undefined
    }
    if (absorbed.advice) session.advise(absorbed.advice)
    this.#crossed ||= !absorbed.whole
    return signal.aborted ? undefined : answer
  }

  #outgoing(message: OutgoingMessage): BayeuxMessage {
    return {
      ...message,
      id: this.#parts.conversation.nextId(),
      clientId: this.#parts.session().clientId as string,
    }
  }

  async #unsubscribe(signal: AbortSignal): Promise<void> {
    const channels = [...this.#unsubscribes]
    this.#unsubscribes.clear()
    for (const chunk of chunked(channels.map((subscription) => this.#outgoing({ channel: '/meta/unsubscribe', subscription })))) {
      for (const { subscription } of chunk) this.#parts.registry.atOrg.delete(subscription as string)
      // A refusal changes nothing: events of a closed feed go nowhere.
      await this.#request(chunk, 'unsubscribe', signal)
      if (signal.aborted) return
      for (const { subscription } of chunk) this.#left.set(subscription as string, this.#parts.session().polls.sent)
    }
  }

  /** Whether events from before an unsubscribe may still come, and overtake the replay. [PROTOCOL U8] */
  #mayOvertake({ request: { channel } }: FeedEntry): boolean {
    const sent = this.#left.get(channel)
    if (sent === undefined) return false
    if (this.#parts.session().polls.empty <= sent) return true
    this.#left.delete(channel)
    return false
  }

  async #subscribe(wanted: readonly FeedEntry[], signal: AbortSignal, oneByOne = false): Promise<void> {
    const { registry } = this.#parts
    if (wanted.some((entry) => this.#mayOvertake(entry)) && this.#parts.session().refresh()) return
    const asked = new Map<BayeuxMessage, FeedEntry>(wanted.map((entry) => [this.#outgoing(subscribeMessage(entry)), entry]))
    const chunks = oneByOne ? [...asked.keys()].map((message) => [message]) : chunked([...asked.keys()])
    for (const chunk of chunks) {
      const entries = chunk.flatMap((message) => asked.get(message) ?? []).filter((entry) => entry.stage === 'wanted')
      if (entries.length === 0) continue
      for (const entry of entries) {
        entry.stage = 'asking'
        // From here on the org may hold it, whether its reply arrives or not: it is unsubscribed before it is asked for again.
        registry.atOrg.add(entry.request.channel)
      }
      const { polls } = this.#parts.session()
      const { sent, answered } = polls
      const answer = await this.#request(chunk, 'subscribe', signal)
      if (signal.aborted || !answer) return
      if ('kind' in answer) {
        for (const entry of entries) {
          registry.atOrg.delete(entry.request.channel)
          if (entry.stage === 'asking') entry.stage = 'wanted'
        }
        if (chunk.length > 1) return this.#subscribe(entries, signal, true)
        const [entry] = entries
        if (entry) registry.refuse(entry, answer.error)
        continue
      }
      await this.#settle(chunk, asked, answer, signal, sent !== answered || polls.sent !== sent)
      if (signal.aborted) return
    }
  }

  async #settle(
    chunk: BayeuxMessage[],
    asked: Map<BayeuxMessage, FeedEntry>,
    answer: Answer & { ok: true },
    signal: AbortSignal,
    /** A connect was out at the same time. */
    besideConnect: boolean,
  ): Promise<void> {
    for (const [at, message] of chunk.entries()) {
      const entry = asked.get(message)
      if (entry?.stage !== 'asking') {
        // Closed while it was asked for.
        if (entry) this.#unsubscribes.add(entry.request.channel)
        continue
      }
      const reply = replyTo(message, answer.decoded.meta, chunk.length === 1 ? at : undefined)
      if (!reply) return this.#parts.session().fault('subscribe', transientFault(noReply('subscribe')))
      if (reply.successful === true || (reply.successful === undefined && !reply.error)) {
        // What cannot be asked for again is let through all the same. [PROTOCOL U9]
        if (besideConnect && entry.replied && entry.request.position !== 'new' && entry.request.position !== 'off') {
          entry.stage = 'crossed'
          this.#crossed = true
        } else acceptFeed(entry)
      } else await this.#refused(entry, messageFault({ ...reply, subscription: entry.request.channel }, 'subscribe'), signal)
      // The session may have gone meanwhile: entries that ended with it are no business of the next one.
      if (signal.aborted) return
    }
  }

  /** A refusal concerns this channel alone. [PROTOCOL U3-U5] */
  async #refused(entry: FeedEntry, { kind, error }: Fault, signal: AbortSignal): Promise<void> {
    const { platform, policies, registry } = this.#parts
    registry.atOrg.delete(entry.request.channel)
    entry.attempts = failedOnce(entry.attempts, platform.now())
    const isLimit = kind === 'event-limit' || kind === 'client-limit'
    const judged = await verdict(policies.subscribe, error, entry.attempts.count, platform, signal)
    if (signal.aborted || entry.stage !== 'asking') return
    const tryAgain = judged ?? (kind === 'busy' || (isLimit && this.#parts.limits === 'wait' && !entry.request.failOnLimit))
    const delayMs = tryAgain
      ? isLimit && judged === undefined
        ? limitDelayMs(entry.attempts, platform.random())
        : backoffMs(policies.subscribe, entry.attempts, platform.now(), platform.random())
      : undefined
    if (delayMs === undefined) return registry.refuse(entry, error)
    const { channel } = entry.request
    this.#parts.report(
      isLimit
        ? { type: 'limit', error, delayMs, channel }
        : { type: 'retry', what: 'subscribe', attempt: entry.attempts.count, delayMs, error, channel },
    )
    entry.stage = 'waiting'
    entry.cleanups.push(
      platform.delay(() => {
        if (entry.stage !== 'waiting') return
        entry.stage = 'wanted'
        this.pump()
      }, delayMs),
    )
  }

  async #deliver(parcel: Parcel, signal: AbortSignal): Promise<void> {
    const message = this.#outgoing(parcel.message)
    const answer = await this.#request([message], 'send', signal)
    if (answer && 'ok' in answer) parcel.replies.resolve(answer.decoded.all)
    else parcel.replies.reject(answer ? answer.error : new HandshakeError(notSent))
  }

  unsubscribe(channel: string): void {
    if (!this.#parts.registry.atOrg.has(channel)) return
    this.#unsubscribes.add(channel)
    this.pump()
  }

  send(message: OutgoingMessage): Promise<BayeuxMessage[]> {
    const parcel: Parcel = { message, replies: deferred() }
    this.#parcels.push(parcel)
    this.pump()
    return parcel.replies.promise
  }

  established(): void {
    this.#open = true
    this.pump()
  }

  interrupted(error: SfStreamError): void {
    this.#open = false
    this.#crossed = false
    this.#left.clear()
    this.#unsubscribes.clear()
    for (const parcel of this.#parcels.splice(0)) parcel.replies.reject(error)
  }
}

function subscribeMessage(entry: FeedEntry): OutgoingMessage {
  const { channel, position } = entry.request
  const message: OutgoingMessage = { channel: '/meta/subscribe', subscription: channel }
  // The key is the channel without a filter; a map without it is refused. [PROTOCOL U2]
  if (position !== 'off') message.ext = { replay: { [bareChannel(channel)]: replayValue(position) } }
  return message
}

/** By id; else by channel; else, for a lone request, whatever was answered. Some refusals carry neither. */
function replyTo(message: BayeuxMessage, meta: readonly BayeuxMessage[], position: number | undefined): BayeuxMessage | undefined {
  return (
    meta.find((reply) => reply.id !== undefined && String(reply.id) === message.id) ??
    meta.find((reply) => reply.id === undefined && reply.subscription === message.subscription) ??
    (position === undefined ? undefined : meta.find((reply) => reply.id === undefined && reply.channel !== '/meta/connect'))
  )
}

const notSent = {
  code: 'session_lost',
  message: 'The session was lost before an answer came.',
  remediation: 'Send it again.',
  retryable: true,
} as const

export function notStarted(): StateError {
  return new StateError({ code: 'not_started', message: 'The client is not started.', remediation: 'Call start() or subscribe() first.' })
}
