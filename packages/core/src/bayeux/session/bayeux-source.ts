import { SfStreamError, StateError } from '../../errors.ts'
import type { BayeuxOptions } from '../../options.ts'
import type { Platform } from '../../platform.ts'
import type { Feed, OpenRequest, Source, SourceObserver } from '../../source/source.ts'
import type { SourceStatus } from '../../source/source-status.ts'
import type { Transport } from '../transport/transport.ts'
import type { BayeuxMessage, OutgoingMessage } from '../wire/message.ts'
import { bayeuxSession } from './bayeux-session.ts'
import { type ControlLane, controlLane, notStarted } from './control-lane.ts'
import { type Conversation, conversation } from './conversation.ts'
import { endpointResolver } from './endpoint.ts'
import { type Registry, registry } from './registry.ts'
import { retryPolicies } from './retry-policies.ts'
import type { Session } from './session.ts'
import { tokens } from './tokens.ts'

/** An org's /cometd as a Source: the wiring of session, registry and control lane. */
export function bayeuxSource(options: BayeuxOptions & { transport: Transport }, platform: Platform): Source {
  return new BayeuxSource(options, platform)
}

/** A class, because a process may hold thousands: what they share is not kept for each. */
class BayeuxSource implements Source {
  readonly #observers = new Set<SourceObserver>()
  readonly #conversation: Conversation
  readonly #registry: Registry
  readonly #lane: ControlLane
  readonly #session: Session

  constructor(options: BayeuxOptions & { transport: Transport }, platform: Platform) {
    const { transport, retry, extensions = [], reconnect = true, followAdvice = true } = options
    const report = (status: SourceStatus): void => {
      for (const observer of this.#observers) observer.status?.(status)
    }
    const policies = retryPolicies(retry)
    const limits = retry?.limits ?? 'wait'
    this.#conversation = conversation(transport, extensions, platform.now)
    this.#registry = registry({
      opened: () => this.#lane.pump(),
      closed: (entry) => this.#lane.unsubscribe(entry.request.channel),
    })
    const talk = this.#conversation
    const channels = this.#registry
    // Field by field: objects that are spread into share no shape, and each would keep one of its own.
    this.#lane = controlLane({ platform, policies, limits, conversation: talk, registry: channels, session: () => this.#session, report })
    this.#session = bayeuxSession({
      platform,
      policies,
      machineOptions: { retry: policies, limits, reconnect, followAdvice },
      transport,
      conversation: talk,
      tokens: tokens(options.auth, platform),
      endpoint: endpointResolver(options, platform),
      registry: channels,
      report,
      observeMessage: (message) => {
        for (const observer of this.#observers) observer.message?.(message)
      },
      established: () => this.#lane.established(),
      interrupted: (error) => this.#lane.interrupted(error),
    })
  }

  get endpoint(): URL | undefined {
    return this.#session.address()?.url
  }

  get live(): boolean {
    return this.#session.live
  }

  now(): number {
    return this.#conversation.orgNow()
  }

  start(): Promise<void> {
    return this.#session.start()
  }

  org(): Promise<string> {
    const { failure } = this.#session
    return failure ? Promise.reject(failure) : this.#session.org()
  }

  open(request: OpenRequest): Feed {
    const feed = this.#registry.open(request)
    // A failed session stays failed until it is started again; a feed must not wait for that in silence.
    const { failure } = this.#session
    if (failure) this.#registry.endAll(failure)
    else this.#session.start().catch(() => {})
    return feed
  }

  hold(): () => void {
    return this.#session.hold()
  }

  async send(message: OutgoingMessage): Promise<BayeuxMessage[]> {
    if (/^\/meta\/(handshake|connect|disconnect)$/.test(message.channel)) {
      throw new StateError({
        code: 'reserved_channel',
        message: `${message.channel} belongs to the client.`,
        remediation: 'Use start() and stop(); send() is for other messages.',
      })
    }
    if (!this.#session.running || !this.#session.address()) throw notStarted()
    try {
      JSON.stringify(message)
    } catch (cause) {
      throw new SfStreamError({
        code: 'bad_option',
        message: `The message for ${message.channel} is no JSON: ${String(cause)}.`,
        remediation: 'Send values that JSON can hold.',
        cause,
      })
    }
    return this.#lane.send(message)
  }

  observe(observer: SourceObserver): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  stop(): Promise<void> {
    return this.#session.stop()
  }
}
