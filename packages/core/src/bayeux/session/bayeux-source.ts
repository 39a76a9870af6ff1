import { type Deferred, deferred } from '../../async/deferred.ts'
import { untilAborted } from '../../async/until-aborted.ts'
import type { OrgSession } from '../../auth-provider.ts'
import { badOption, type SfStreamError, StateError } from '../../errors.ts'
import type { BayeuxOptions } from '../../options.ts'
import { orgKey } from '../../org-key.ts'
import type { Platform } from '../../platform.ts'
import type { Feed, OpenRequest, Source, SourceObserver } from '../../source/source.ts'
import type { SourceStatus } from '../../source/source-status.ts'
import type { Effect, Input, Machine, MachineOptions, Memory, Step } from '../machine/machine.ts'
import { initialMachine, transition } from '../machine/transition.ts'
import type { Transport, TransportResponse } from '../transport/transport.ts'
import { type Fault, transientFault } from '../wire/fault.ts'
import type { BayeuxMessage, OutgoingMessage } from '../wire/message.ts'
import { ConnectLoop } from './connect-loop.ts'
import { type ControlLane, controlLane } from './control-lane.ts'
import { type Address, type Answer, type Conversation, conversation } from './conversation.ts'
import { closeTransport, goodbyeMs, shortDeadline } from './deadlines.ts'
import { type EndpointResolver, endpointResolver } from './endpoint.ts'
import { findings } from './findings.ts'
import { handshakeMessage, readHandshake } from './handshake.ts'
import { type Registry, registry } from './registry.ts'
import { type RetryPolicies, retryPolicies, verdict } from './retry-policies.ts'
import type { CameWith, Reply, Session } from './session.ts'
import { brokenOff, interrupted, knownError, notStarted } from './session-errors.ts'
import { type Tokens, tokens } from './tokens.ts'

/** An org's /cometd as a Source. */
export function bayeuxSource(options: BayeuxOptions & { transport: Transport }, platform: Platform): Source {
  return new BayeuxSource(options, platform)
}

/** Runs the machine's effects: the owner of logins, handshakes, timers and the session's end. A class, because a process may hold thousands. */
class BayeuxSource implements Source, Session {
  readonly platform: Platform
  readonly options: MachineOptions & { retry: RetryPolicies }
  readonly transport: Transport
  readonly conversation: Conversation
  readonly registry: Registry
  readonly lane: ControlLane
  readonly loop: ConnectLoop
  epoch = 0
  readonly #tokens: Tokens
  readonly #endpoint: EndpointResolver
  #observers: readonly SourceObserver[] = []
  #machine: Machine = initialMachine()
  /** What has happened and is not dealt with, while something is. */
  #inputs: Input[] | undefined
  /** The login or handshake that is under way. */
  #step: AbortController | undefined
  #handshaking: Promise<void> | undefined
  #clientId: string | undefined
  #url: URL | undefined
  #cancelTimer: (() => void) | undefined
  /** Until connected; until the org is known. */
  #started: Deferred<void> | undefined
  #identified: Deferred<string> | undefined

  constructor(options: BayeuxOptions & { transport: Transport }, platform: Platform) {
    const { transport, retry, extensions = [], reconnect = true, followAdvice = true } = options
    this.platform = platform
    this.options = { retry: retryPolicies(retry), limits: retry?.limits ?? 'wait', reconnect, followAdvice }
    this.transport = transport
    this.conversation = conversation(transport, extensions, platform.now)
    this.registry = registry(this)
    this.lane = controlLane(this)
    this.loop = new ConnectLoop(this)
    this.#tokens = tokens(options.auth, platform)
    this.#endpoint = endpointResolver(options, platform)
  }

  // --- what the machine decides ------------------------------------------------------------------------------------

  /** Effects may cause inputs; those wait their turn, so that transitions never nest. */
  dispatch(input: Input): void {
    if (this.#inputs) return void this.#inputs.push(input)
    const { platform, options } = this
    this.#inputs = [input]
    try {
      for (const next of this.#inputs) {
        const { machine, effects } = transition(this.#machine, next, platform.now(), platform.random(), options)
        this.#machine = machine
        for (const effect of effects) this.#run(effect)
      }
    } finally {
      this.#inputs = undefined
    }
  }

  #run(effect: Effect): void {
    switch (effect.type) {
      case 'authenticate':
        // The next token may belong to another org: who opens a channel now has to wait for it.
        if (effect.refusal) this.#identified ??= deferred()
        this.#step = new AbortController()
        void this.#authenticate(this.#step.signal, effect.refusal)
        break
      case 'handshake':
        this.#identified?.resolve(orgKey(this.#tokens.current as OrgSession))
        this.#identified = undefined
        if (effect.clearCookies) this.transport.reset?.()
        this.#step = new AbortController()
        this.#handshaking = this.#handshake(this.#step.signal)
        break
      case 'endSession':
        this.#clientId = undefined
        this.registry.atOrg = this.registry.kept = []
        this.#interrupt()
        break
      case 'endFeeds':
        this.#interrupt()
        break
      case 'resubscribe':
        this.lane.established()
        break
      case 'connect':
        this.#step = undefined
        this.#handshaking = undefined
        this.loop.start(effect.turn, effect.afterMs)
        break
      case 'wait':
        this.#cancelTimer = this.platform.delay(() => this.dispatch({ type: 'timer' }), effect.delayMs)
        break
      case 'report':
        if (effect.status.type === 'state' && effect.status.state === 'live') {
          this.#started?.resolve()
          this.#started = undefined
        }
        this.report(effect.status)
        break
      case 'fail':
        this.#giveUp(effect.error)
        this.registry.endAll(effect.error)
        break
    }
  }

  #interrupt(): void {
    this.epoch++
    this.#cancelTimer?.()
    this.#step?.abort(interrupted)
    this.loop.interrupt()
    this.lane.interrupt()
    this.registry.endAll()
  }

  #giveUp(error: SfStreamError): void {
    this.#started?.reject(error)
    this.#identified?.reject(error)
  }

  async fault(step: Step | 'subscribe', fault: Fault, { advice, retryAfterMs }: CameWith = {}): Promise<void> {
    const { epoch, options, platform } = this
    const policy = options.retry[step]
    const { count } = this.#machine.memory.attempts[step === 'subscribe' ? 'connect' : step]
    // Losing a session and refusing a token are not for a policy to judge.
    const judged = policy.shouldRetry && fault.kind !== 'unknown-client' && fault.kind !== 'auth'
    const retry = judged ? await verdict(policy, fault.error, count + 1, { platform }) : undefined
    if (this.epoch === epoch) this.dispatch({ type: 'fault', step, fault, advice, retryAfterMs, retry })
  }

  async #authenticate(signal: AbortSignal, refusal: SfStreamError | undefined): Promise<void> {
    const { current } = this.#tokens
    try {
      const session = await this.#tokens.get(signal, refusal)
      if (signal.aborted) return
      // Positions are of no use in another org: whoever asked for one begins again.
      if (current && orgKey(current) !== orgKey(session)) this.registry.endAll()
      this.dispatch({ type: 'authenticated', replaced: refusal !== undefined, instanceUrl: session.instanceUrl })
    } catch (thrown) {
      const error = knownError(thrown)
      const kind = error.retryable && error !== refusal ? 'transient' : 'auth'
      if (!signal.aborted) await this.fault('auth', { kind, error }, error.server)
    }
  }

  async #handshake(signal: AbortSignal): Promise<void> {
    const { conversation } = this
    const session = this.#tokens.current
    if (!session) return
    try {
      this.#url = await this.#endpoint(session, signal)
      conversation.resetIds()
      const message = { ...handshakeMessage, id: conversation.nextId() }
      const response = await conversation.post({ url: this.#url, accessToken: session.accessToken }, [message], shortDeadline, signal)
      if (signal.aborted) return
      const answer = this.#read(response, 'handshake')
      if (answer.fault) return await this.fault('handshake', answer.fault, answer)
      const { fault, clientId, advice } = readHandshake(answer.decoded)
      if (fault) return await this.fault('handshake', fault, { advice })
      this.#clientId = clientId
      this.registry.dispatch(answer, 'handshake')
      this.dispatch({ type: 'handshaken', advice })
    } catch (error) {
      if (!signal.aborted) await this.fault('handshake', transientFault(knownError(error)))
    }
  }

  // --- what loop and lane stand on ---------------------------------------------------------------------------------

  get advice(): Memory['advice'] {
    return this.#machine.memory.advice
  }

  address(): Address | undefined {
    const { current } = this.#tokens
    return this.#url && current && { url: this.#url, accessToken: current.accessToken }
  }

  outgoing(message: OutgoingMessage): BayeuxMessage {
    return { ...message, id: this.conversation.nextId(), clientId: this.#clientId as string }
  }

  #read(response: TransportResponse, request: string): Answer {
    const answer = this.conversation.read(response, request)
    const { all, bad } = answer.decoded
    for (const observer of this.#observers) if (observer.message) for (const message of all) observer.message(message)
    for (const message of bad) this.report({ type: 'badMessage', reason: 'neither a reply nor an event', message })
    return answer
  }

  take(response: TransportResponse, request: string): Reply {
    const answer = this.#read(response, request)
    const whole = this.registry.dispatch(answer, request)
    const found = findings(answer.decoded, request)
    const fault = answer.fault ?? (answer.complete ? found.fault : transientFault(brokenOff()))
    return { ...found, fault, decoded: answer.decoded, retryAfterMs: answer.retryAfterMs, whole }
  }

  refresh(): boolean {
    const { epoch } = this
    this.dispatch({ type: 'refresh' })
    return this.epoch !== epoch
  }

  report(status: SourceStatus): void {
    for (const observer of this.#observers) observer.status?.(status)
  }

  // --- the Source --------------------------------------------------------------------------------------------------

  get endpoint(): URL | undefined {
    return this.address()?.url
  }

  get live(): boolean {
    return this.#machine.phase.tag === 'connected' && this.loop.out
  }

  get #running(): boolean {
    const { tag } = this.#machine.phase
    return tag !== 'idle' && tag !== 'stopped' && tag !== 'failed'
  }

  now(): number {
    return this.conversation.orgNow()
  }

  async start(): Promise<void> {
    if (!this.#running) {
      this.#started = deferred()
      this.#identified = deferred()
      this.dispatch({ type: 'start' })
    }
    return this.#started?.promise
  }

  async org(): Promise<string> {
    if (this.#machine.phase.tag === 'failed') throw this.#machine.phase.error
    this.start().catch(() => {})
    return this.#identified?.promise ?? orgKey(this.#tokens.current as OrgSession)
  }

  open(request: OpenRequest): Feed {
    const feed = this.registry.open(request)
    // A failed session stays failed until it is started again; a feed must not wait for that in silence.
    if (this.#machine.phase.tag === 'failed') this.registry.endAll(this.#machine.phase.error)
    else this.start().catch(() => {})
    return feed
  }

  hold(): () => void {
    return this.loop.holding.hold()
  }

  async send(message: OutgoingMessage): Promise<BayeuxMessage[]> {
    const { channel } = message
    if (/^\/meta\/(handshake|connect|disconnect)$/.test(channel)) {
      throw new StateError({
        code: 'reserved_channel',
        message: `${channel} belongs to the client.`,
        remediation: 'Use start() and stop(); send() is for other messages.',
      })
    }
    if (!this.#running || !this.address()) throw notStarted()
    try {
      JSON.stringify(message)
    } catch (cause) {
      throw badOption(`The message for ${channel} is no JSON: ${String(cause)}`, 'Send values that JSON can hold.', cause)
    }
    return this.lane.send(message)
  }

  observe(observer: SourceObserver): () => void {
    this.#observers = this.#observers.concat(observer)
    return () => {
      this.#observers = this.#observers.filter((other) => other !== observer)
    }
  }

  async stop(): Promise<void> {
    const { platform, conversation, transport } = this
    const limit = new AbortController()
    const cancelLimit = platform.delay(() => limit.abort(interrupted), goodbyeMs)
    try {
      this.report({ type: 'state', state: 'stopping' })
      this.lane.interrupt()
      // A session that is just being made would hold a client slot until it expires.
      if (this.#handshaking && this.#machine.phase.tag === 'handshaking')
        await untilAborted(this.#handshaking, limit.signal).catch(() => {})
      const to = this.#clientId && this.address()
      const message = this.outgoing({ channel: '/meta/disconnect' })
      // An async function, because an extension may throw and `stop` has to be dispatched all the same.
      const goodbye = to && untilAborted((async () => conversation.post(to, [message], shortDeadline, limit.signal))(), limit.signal)
      this.dispatch({ type: 'stop' })
      await goodbye
    } catch {
      // Best effort: an unreachable org forgets the session by itself.
    } finally {
      cancelLimit()
      limit.abort(interrupted)
      transport.reset?.()
      await closeTransport(transport, platform)
      this.#giveUp(new StateError({ code: 'client_stopped', message: 'The client was stopped.', remediation: 'Call start() again.' }))
    }
  }
}
