import { type Deferred, deferred } from '../../async/deferred.ts'
import { sleep } from '../../async/sleep.ts'
import { untilAborted } from '../../async/until-aborted.ts'
import { type SfStreamError, StateError } from '../../errors.ts'
import { orgKey } from '../../org-key.ts'
import type { Effect, Input, Machine, Step } from '../machine/machine.ts'
import { initialMachine, transition } from '../machine/transition.ts'
import { cleanReplySize } from '../wire/decode.ts'
import { chunked } from '../wire/encode.ts'
import { type Fault, transientFault } from '../wire/fault.ts'
import type { Advice, BayeuxMessage } from '../wire/message.ts'
import type { Address, Answer } from './conversation.ts'
import { closeTransport, goodbyeMs, pollDeadline, shortDeadline } from './deadlines.ts'
import { type Findings, findings } from './findings.ts'
import { handshakeMessage, readHandshake } from './handshake.ts'
import { type PollHold, pollHold } from './poll-hold.ts'
import { verdict } from './retry-policies.ts'
import type { Session, SessionParts } from './session.ts'
import { brokenOff, interrupted, knownError, noReply } from './session-errors.ts'

/** A poll that left before the reply to the last one was read is early; one that the org answers at once is a session's first. */
type PollTurn = 'first' | 'next' | 'early'

export function bayeuxSession(parts: SessionParts): Session {
  return new ConnectedSession(parts)
}

/** A class, because a process may hold thousands: what they share is not kept for each. */
class ConnectedSession implements Session {
  readonly #parts: SessionParts
  readonly polls = { sent: 0, answered: 0, empty: 0 }
  readonly #holding: PollHold
  readonly #inputs: Input[] = []
  #machine: Machine = initialMachine()
  #dispatching = false
  #life = new AbortController()
  #clientId: string | undefined
  #url: URL | undefined
  #poll: AbortController | undefined
  #cancelTimer: (() => void) | undefined
  #started: Deferred<void> = deferred()
  #identified: Deferred<string> = deferred()
  #isIdentified = false
  #knownOrg: string | undefined
  #refusal: SfStreamError | undefined
  #handshaking: Promise<void> | undefined

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#holding = pollHold(parts.platform)
  }

  /** Effects may cause inputs; those wait their turn, so that transitions never nest. */
  #dispatch(input: Input): void {
    const { platform, machineOptions } = this.#parts
    this.#inputs.push(input)
    if (this.#dispatching) return
    this.#dispatching = true
    try {
      for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
        const result = transition(this.#machine, next, platform.now(), platform.random(), machineOptions)
        this.#machine = result.machine
        for (const effect of result.effects) this.#run(effect)
      }
    } finally {
      this.#dispatching = false
    }
  }

  #run(effect: Effect): void {
    switch (effect.type) {
      case 'authenticate':
        this.#refusal = effect.replace ? (effect.because ?? this.#refusal) : undefined
        // The next token may belong to another org: who opens a channel now has to wait for it.
        if (effect.replace && this.#isIdentified) {
          this.#identified = deferred()
          this.#isIdentified = false
        }
        void this.#authenticate(this.#life.signal)
        break
      case 'handshake':
        if (effect.clearCookies) this.#parts.transport.reset?.()
        this.#handshaking = this.#handshake(this.#life.signal)
        break
      case 'endSession':
        this.#clientId = undefined
        this.#parts.registry.atOrg.clear()
        this.#interrupt()
        break
      case 'endFeeds':
        this.#interrupt()
        break
      case 'resubscribe':
        this.#parts.established()
        break
      case 'connect':
        this.#startPoll(effect.first ? 'first' : 'next', effect.resuming, effect.afterMs)
        break
      case 'wait':
        this.#cancelTimer = this.#parts.platform.delay(() => this.#dispatch({ type: 'timer' }), effect.delayMs)
        break
      case 'report':
        if (effect.status.type === 'state' && effect.status.state === 'live') this.#started.resolve()
        this.#parts.report(effect.status)
        break
      case 'fail':
        this.#started.reject(effect.error)
        this.#identified.reject(effect.error)
        this.#parts.registry.endAll(effect.error)
        break
    }
  }

  #interrupt(): void {
    this.#cancelTimer?.()
    this.#life.abort(interrupted)
    this.#life = new AbortController()
    this.#poll?.abort(interrupted)
    this.#poll = undefined
    this.polls.answered = this.polls.sent
    this.#parts.interrupted(interrupted)
    this.#parts.registry.endAll()
  }

  async fault(step: Step | 'subscribe', what: Fault, advice?: Advice, retryAfterMs?: number): Promise<void> {
    const { signal } = this.#life
    const { policies, platform } = this.#parts
    const policy = policies[step]
    // Losing a session and refusing a token are not for a policy to judge.
    const judged = policy.shouldRetry && what.kind !== 'unknown-client' && what.kind !== 'auth'
    const count = this.#machine.memory.attempts[step === 'subscribe' ? 'connect' : step].count
    const retry = judged ? await verdict(policy, what.error, count + 1, platform) : undefined
    if (!signal.aborted) this.#dispatch({ type: 'fault', step, fault: what, advice, retryAfterMs, retry })
  }

  async #authenticate(signal: AbortSignal): Promise<void> {
    try {
      const replaced = this.#refusal !== undefined
      const session = await this.#parts.tokens.get(signal, this.#refusal)
      if (signal.aborted) return
      this.#refusal = undefined
      const org = orgKey(session)
      // Positions are of no use in another org: whoever asked for one begins again.
      if (this.#knownOrg !== undefined && this.#knownOrg !== org) this.#parts.registry.endAll()
      this.#knownOrg = org
      this.#identified.resolve(org)
      this.#isIdentified = true
      this.#dispatch({ type: 'authenticated', replaced, instanceUrl: session.instanceUrl })
    } catch (error) {
      if (signal.aborted) return
      const session = this.#parts.tokens.current
      const isRefusal = error === this.#refusal
      // A token that may not have been at fault is tried on; there is no other. [PROTOCOL F7]
      if (isRefusal && session && this.#refusal?.code === 'bad_reply') {
        this.#refusal = undefined
        this.#identified.resolve(orgKey(session))
        return this.#dispatch({ type: 'authenticated', replaced: false, instanceUrl: session.instanceUrl })
      }
      const known = knownError(error)
      await this.fault('auth', { kind: known.retryable && !isRefusal ? 'transient' : 'auth', error: known })
    }
  }

  async #handshake(signal: AbortSignal): Promise<void> {
    const { conversation } = this.#parts
    const session = this.#parts.tokens.current
    if (!session) return
    try {
      this.#url = await this.#parts.endpoint(session, signal)
      conversation.resetIds()
      const message = { ...handshakeMessage, id: conversation.nextId() }
      const response = await conversation.post({ url: this.#url, accessToken: session.accessToken }, [message], shortDeadline, signal)
      if (signal.aborted) return
      const answer = conversation.read(response, 'handshake')
      if (!answer.ok) return await this.fault('handshake', answer.fault, undefined, answer.retryAfterMs)
      const result = readHandshake(answer.decoded)
      this.#tell(answer.decoded.all, answer.decoded.bad)
      if ('fault' in result) return await this.fault('handshake', result.fault, result.advice)
      this.#clientId = result.clientId
      this.#parts.registry.dispatch(answer.decoded.events, answer.complete, answer.bytesEach, 'handshake')
      this.#dispatch({ type: 'handshaken', advice: result.advice })
    } catch (error) {
      if (!signal.aborted) await this.fault('handshake', transientFault(knownError(error)))
    }
  }

  #startPoll(turn: PollTurn, resuming: boolean, afterMs: number): AbortController | undefined {
    if (this.#poll) return undefined
    // Not linked to the session's signal, which would cost a listener a poll: `interrupt` ends the poll that is out.
    this.#poll = new AbortController()
    void this.#runPoll(this.#poll, turn, resuming, afterMs)
    return this.#poll
  }

  async #runPoll(mine: AbortController, turn: PollTurn, resuming: boolean, afterMs: number): Promise<void> {
    const { conversation, registry, transport, platform } = this.#parts
    const { signal } = mine
    const { signal: living } = this.#life
    const first = turn === 'first'
    let early: AbortController | undefined
    /** Nothing else is sent before an early poll that should not have left is taken back. [PROTOCOL C5] */
    const failed = (what: Fault, advice?: Advice, retryAfterMs?: number): Promise<void> => {
      if (early) {
        early.abort(interrupted)
        if (this.#poll === early) this.#poll = undefined
      }
      return this.fault('connect', what, advice, retryAfterMs)
    }
    try {
      if (afterMs > 0) await sleep(afterMs, signal, platform)
      // The last reply's events are taken in one microtask after they were dispatched; then it is known whether there is room.
      else if (turn === 'next') await Promise.resolve()
      if (this.#holding.held) await this.#holding.untilFree(signal)
      const to = this.address()
      if (!to || !this.#clientId) return
      if (resuming && registry.atOrg.size > 0) {
        const again = await this.#unsubscribeAll(to, signal)
        if (again) return await failed(again.fault, undefined, again.retryAfterMs)
      }
      const message: BayeuxMessage = {
        channel: '/meta/connect',
        connectionType: 'long-polling',
        id: conversation.nextId(),
        clientId: this.#clientId,
      }
      if (first) message.advice = { timeout: 0 }
      const number = ++this.polls.sent
      const response = await conversation.post(
        to,
        [message],
        first ? shortDeadline : pollDeadline(this.#machine.memory.advice.timeoutMs),
        signal,
      )
      if (signal.aborted) return
      if (this.#poll === mine) this.#poll = undefined
      if (!first && this.#mayPollEarly(response)) {
        early = this.#startPoll('early', false, 0)
        // Before the parsing, which would keep it from leaving. [PROTOCOL C4]
        if (transport.flushed) await transport.flushed()
        if (living.aborted) return
      }
      const answer = conversation.read(response, 'connect')
      if (!answer.ok) return await failed(answer.fault, undefined, answer.retryAfterMs)
      // Whatever its id: no other connect is out, and some servers leave ids out or count their own. [PROTOCOL C3]
      const isOwn = (reply: BayeuxMessage): boolean => reply.channel === '/meta/connect'
      const absorbed = this.absorb(answer, 'connect', isOwn)
      if (living.aborted) return
      if (!answer.complete) return await failed(transientFault(brokenOff()))
      if (absorbed.fault) return await failed(absorbed.fault, absorbed.advice)
      if (absorbed.disconnected) {
        early?.abort(interrupted)
        return this.#dispatch({ type: 'disconnected' })
      }
      const { meta, events } = answer.decoded
      // Events without a reply are a reply: some servers leave it out. A reply to another request is none. [PROTOCOL C6]
      if (!meta.some(isOwn) && (meta.length > 0 || events.length === 0)) return await failed(transientFault(noReply()))
      this.polls.answered = Math.max(this.polls.answered, number)
      if (events.length === 0) this.polls.empty = this.polls.answered
      this.#dispatch({ type: 'connected', advice: absorbed.advice, hadEvents: events.length > 0 })
    } catch (error) {
      if (!signal.aborted && !living.aborted) await failed(transientFault(knownError(error)))
    } finally {
      if (this.#poll === mine) this.#poll = undefined
    }
  }

  #mayPollEarly(response: { status: number; text: string; cut?: string }): boolean {
    const { conversation, registry } = this.#parts
    if (response.cut || this.#holding.held || conversation.inspectsReplies || this.#machine.memory.advice.intervalMs > 0) return false
    const size = cleanReplySize(response.status, response.text)
    // Where there is nothing to parse, nothing is won.
    return size !== undefined && size > 0 && size <= registry.room(response.text.length)
  }

  async #unsubscribeAll(to: Address, signal: AbortSignal): Promise<(Answer & { ok: false }) | undefined> {
    const { conversation, registry } = this.#parts
    const messages = [...registry.atOrg].map((subscription) => ({
      channel: '/meta/unsubscribe',
      subscription,
      id: conversation.nextId(),
      clientId: this.#clientId as string,
    }))
    for (const chunk of chunked(messages)) {
      const answer = conversation.read(await conversation.post(to, chunk, shortDeadline, signal), 'unsubscribe')
      if (signal.aborted) throw signal.reason
      if (!answer.ok) return answer
      const { fault: found } = this.absorb(answer, 'unsubscribe', () => true)
      if (found) return { ok: false, fault: found }
    }
    registry.atOrg.clear()
    return undefined
  }

  #tell(messages: readonly BayeuxMessage[], bad: readonly unknown[]): void {
    for (const message of messages) this.#parts.observeMessage(message)
    for (const message of bad) this.#parts.report({ type: 'badMessage', reason: 'neither a reply nor an event', message })
  }

  get live(): boolean {
    return this.#machine.phase.tag === 'connected' && this.#poll !== undefined
  }

  get running(): boolean {
    const { tag } = this.#machine.phase
    return tag !== 'idle' && tag !== 'stopped' && tag !== 'failed'
  }

  get failure(): SfStreamError | undefined {
    return this.#machine.phase.tag === 'failed' ? this.#machine.phase.error : undefined
  }

  get clientId(): string | undefined {
    return this.#clientId
  }

  get signal(): AbortSignal {
    return this.#life.signal
  }

  address(): Address | undefined {
    const { current } = this.#parts.tokens
    return this.#url && current && { url: this.#url, accessToken: current.accessToken }
  }

  start(): Promise<void> {
    if (!this.running) {
      this.#started = deferred()
      this.#identified = deferred()
      const { current } = this.#parts.tokens
      this.#isIdentified = current !== undefined
      if (current) this.#identified.resolve(orgKey(current))
      this.#dispatch({ type: 'start' })
    }
    return this.#started.promise
  }

  async org(): Promise<string> {
    this.start().catch(() => {})
    return this.#identified.promise
  }

  hold(): () => void {
    return this.#holding.hold()
  }

  absorb(answer: Answer & { ok: true }, request: string, own: (message: BayeuxMessage) => boolean): Findings & { whole: boolean } {
    const { all, bad, events } = answer.decoded
    this.#tell(all, bad)
    const whole = this.#parts.registry.dispatch(events, answer.complete, answer.bytesEach, request === 'connect' ? request : 'control')
    return { ...findings(answer.decoded, request, own), whole }
  }

  advise(advice: Advice): void {
    this.#dispatch({ type: 'advised', advice })
  }

  refresh(): boolean {
    const { tag } = this.#machine.phase
    if (tag !== 'connecting' && tag !== 'connected') return false
    this.#dispatch({ type: 'refresh' })
    return true
  }

  async stop(): Promise<void> {
    const { platform, conversation, transport } = this.#parts
    const limit = new AbortController()
    const cancelLimit = platform.delay(() => limit.abort(interrupted), goodbyeMs)
    try {
      this.#parts.report({ type: 'state', state: 'stopping' })
      this.#parts.interrupted(interrupted)
      // A session that is just being made would hold a client slot until it expires.
      if (this.#machine.phase.tag === 'handshaking' && this.#handshaking)
        await untilAborted(this.#handshaking, limit.signal).catch(() => {})
      const to = this.address()
      const message = { channel: '/meta/disconnect', id: conversation.nextId(), clientId: this.#clientId ?? '' }
      // An async function, because an extension may throw and `stop` has to be dispatched all the same.
      const goodbye =
        this.#clientId && to
          ? untilAborted((async () => conversation.post(to, [message], shortDeadline, limit.signal))(), limit.signal)
          : undefined
      this.#dispatch({ type: 'stop' })
      await goodbye
    } catch {
      // Best effort: an unreachable org forgets the session by itself.
    } finally {
      cancelLimit()
      limit.abort(interrupted)
      transport.reset?.()
      await closeTransport(transport, platform)
      const stopped = new StateError({ code: 'client_stopped', message: 'The client was stopped.', remediation: 'Call start() again.' })
      this.#started.reject(stopped)
      this.#identified.reject(stopped)
    }
  }
}
