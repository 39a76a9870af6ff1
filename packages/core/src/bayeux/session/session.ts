import { type Deferred, deferred } from '../../async/deferred.ts'
import { sleep } from '../../async/sleep.ts'
import { untilAborted } from '../../async/until-aborted.ts'
import { type SfStreamError, StateError } from '../../errors.ts'
import { orgKey } from '../../org-key.ts'
import type { Platform } from '../../platform.ts'
import type { SourceStatus } from '../../source/source-status.ts'
import type { Effect, Input, Machine, MachineOptions, Step } from '../machine/machine.ts'
import { initialMachine, transition } from '../machine/transition.ts'
import type { Transport } from '../transport/transport.ts'
import { cleanReplySize } from '../wire/decode.ts'
import { chunked } from '../wire/encode.ts'
import { type Fault, transientFault } from '../wire/fault.ts'
import type { Advice, BayeuxMessage } from '../wire/message.ts'
import type { Address, Answer, Conversation } from './conversation.ts'
import { closeTransport, goodbyeMs, pollDeadline, shortDeadline } from './deadlines.ts'
import type { EndpointResolver } from './endpoint.ts'
import { type Findings, findings } from './findings.ts'
import { handshakeMessage, readHandshake } from './handshake.ts'
import { pollHold } from './poll-hold.ts'
import type { Registry } from './registry.ts'
import { type RetryPolicies, verdict } from './retry-policies.ts'
import { brokenOff, interrupted, knownError, noReply } from './session-errors.ts'
import type { Tokens } from './tokens.ts'

export interface SessionParts {
  platform: Platform
  machineOptions: MachineOptions
  policies: RetryPolicies
  transport: Transport
  conversation: Conversation
  tokens: Tokens
  endpoint: EndpointResolver
  registry: Registry
  report(status: SourceStatus): void
  observeMessage(message: BayeuxMessage): void
  /** The session can take control requests. */
  established(): void
  /** Control requests still on their way are void. */
  interrupted(error: SfStreamError): void
}

/** A poll that left before the reply to the last one was read is early; one that the org answers at once is a session's first. */
type PollTurn = 'first' | 'next' | 'early'

/** Runs the machine's effects: the one owner of the connect loop, of timers and of the session's signal. */
export interface Session {
  readonly live: boolean
  readonly running: boolean
  readonly failure: SfStreamError | undefined
  readonly clientId: string | undefined
  /** Aborts when the session ends or is interrupted. */
  readonly signal: AbortSignal
  address(): Address | undefined
  start(): Promise<void>
  org(): Promise<string>
  hold(): () => void
  stop(): Promise<void>
  /** Takes in what every reply may carry besides its own answer; says what failed in it, if anything. */
  absorb(answer: Answer & { ok: true }, request: string, own: (message: BayeuxMessage) => boolean): Findings & { whole: boolean }
  fault(step: Step | 'control', fault: Fault, advice?: Advice, retryAfterMs?: number): Promise<void>
  /** Follows advice that came with anything but a connect. */
  advise(advice: Advice): void
  /** How many polls have left, and the numbers of the last one answered, and of the last answered without an event. */
  readonly polls: Readonly<{ sent: number; answered: number; empty: number }>
  /** Lets out what the org has queued, and subscribes everything again; false where that is under way or impossible. */
  refresh(): boolean
}

export function bayeuxSession(parts: SessionParts): Session {
  const { platform, policies, transport, conversation, tokens, registry } = parts
  let machine: Machine = initialMachine()
  let life = new AbortController()
  let clientId: string | undefined
  let url: URL | undefined
  let poll: AbortController | undefined
  let cancelTimer = (): void => {}
  const polls = { sent: 0, answered: 0, empty: 0 }
  const holding = pollHold(platform)
  let started: Deferred<void> = deferred()
  let identified: Deferred<string> = deferred()
  let isIdentified = false
  let knownOrg: string | undefined
  let refusal: SfStreamError | undefined
  let handshaking: Promise<void> | undefined

  const inputs: Input[] = []
  let running = false
  /** Effects may cause inputs; those wait their turn, so that transitions never nest. */
  const dispatch = (input: Input): void => {
    inputs.push(input)
    if (running) return
    running = true
    try {
      for (let next = inputs.shift(); next; next = inputs.shift()) {
        const result = transition(machine, next, platform.now(), platform.random(), parts.machineOptions)
        machine = result.machine
        for (const effect of result.effects) run(effect)
      }
    } finally {
      running = false
    }
  }

  const run = (effect: Effect): void => {
    switch (effect.type) {
      case 'authenticate':
        refusal = effect.replace ? (effect.because ?? refusal) : undefined
        // The next token may belong to another org: who opens a channel now has to wait for it.
        if (effect.replace && isIdentified) {
          identified = deferred()
          isIdentified = false
        }
        void authenticate(life.signal)
        break
      case 'handshake':
        if (effect.clearCookies) transport.reset?.()
        handshaking = handshake(life.signal)
        break
      case 'endSession':
        clientId = undefined
        registry.atOrg.clear()
        interrupt()
        break
      case 'endFeeds':
        interrupt()
        break
      case 'resubscribe':
        parts.established()
        break
      case 'connect':
        startPoll(effect.first ? 'first' : 'next', effect.resuming, effect.afterMs)
        break
      case 'wait':
        cancelTimer = platform.delay(() => dispatch({ type: 'timer' }), effect.delayMs)
        break
      case 'report':
        if (effect.status.type === 'state' && effect.status.state === 'live') started.resolve()
        parts.report(effect.status)
        break
      case 'fail':
        started.reject(effect.error)
        identified.reject(effect.error)
        registry.endAll(effect.error)
        break
    }
  }

  const interrupt = (): void => {
    cancelTimer()
    life.abort(interrupted)
    life = new AbortController()
    poll?.abort(interrupted)
    poll = undefined
    polls.answered = polls.sent
    parts.interrupted(interrupted)
    registry.endAll()
  }

  const fault: Session['fault'] = async (step, what, advice, retryAfterMs) => {
    const { signal } = life
    const policy = policies[step === 'authenticate' ? 'auth' : step === 'control' ? 'subscribe' : step]
    // Losing a session and refusing a token are not for a policy to judge.
    const judged = policy.shouldRetry && what.kind !== 'unknown-client' && what.kind !== 'auth'
    const count = machine.memory.attempts[step === 'control' ? 'connect' : step].count
    const retry = judged ? await verdict(policy, what.error, count + 1, platform) : undefined
    if (!signal.aborted) dispatch({ type: 'fault', step, fault: what, advice, retryAfterMs, retry })
  }

  const authenticate = async (signal: AbortSignal): Promise<void> => {
    try {
      const replaced = refusal !== undefined
      const session = await tokens.get(signal, refusal)
      if (signal.aborted) return
      refusal = undefined
      const org = orgKey(session)
      // Positions are of no use in another org: whoever asked for one begins again.
      if (knownOrg !== undefined && knownOrg !== org) registry.endAll()
      knownOrg = org
      identified.resolve(org)
      isIdentified = true
      dispatch({ type: 'authenticated', replaced, instanceUrl: session.instanceUrl })
    } catch (error) {
      if (signal.aborted) return
      const session = tokens.current
      const isRefusal = error === refusal
      // A token that may not have been at fault is tried on; there is no other. [PROTOCOL F7]
      if (isRefusal && session && refusal?.code === 'bad_reply') {
        refusal = undefined
        identified.resolve(orgKey(session))
        return dispatch({ type: 'authenticated', replaced: false, instanceUrl: session.instanceUrl })
      }
      const known = knownError(error)
      await fault('authenticate', { kind: known.retryable && !isRefusal ? 'transient' : 'auth', error: known })
    }
  }

  const handshake = async (signal: AbortSignal): Promise<void> => {
    const session = tokens.current
    if (!session) return
    try {
      url = await parts.endpoint(session, signal)
      conversation.resetIds()
      const message = { ...handshakeMessage, id: conversation.nextId() }
      const response = await conversation.post({ url, accessToken: session.accessToken }, [message], shortDeadline, signal)
      if (signal.aborted) return
      const answer = conversation.read(response, 'handshake')
      if (!answer.ok) return await fault('handshake', answer.fault, undefined, answer.retryAfterMs)
      const result = readHandshake(answer.decoded)
      tell(answer.decoded.all, answer.decoded.bad)
      if ('fault' in result) return await fault('handshake', result.fault, result.advice)
      clientId = result.clientId
      registry.dispatch(answer.decoded.events, answer.complete, answer.bytesEach, 'handshake')
      dispatch({ type: 'handshaken', advice: result.advice })
    } catch (error) {
      if (!signal.aborted) await fault('handshake', transientFault(knownError(error)))
    }
  }

  const startPoll = (turn: PollTurn, resuming: boolean, afterMs: number): AbortController | undefined => {
    if (poll) return undefined
    // Not linked to the session's signal, which would cost a listener a poll: `interrupt` ends the poll that is out.
    poll = new AbortController()
    void runPoll(poll, turn, resuming, afterMs)
    return poll
  }

  const runPoll = async (mine: AbortController, turn: PollTurn, resuming: boolean, afterMs: number): Promise<void> => {
    const { signal } = mine
    const { signal: living } = life
    const first = turn === 'first'
    let early: AbortController | undefined
    /** Nothing else is sent before an early poll that should not have left is taken back. [PROTOCOL C5] */
    const failed = (what: Fault, advice?: Advice, retryAfterMs?: number): Promise<void> => {
      if (early) {
        early.abort(interrupted)
        if (poll === early) poll = undefined
      }
      return fault('connect', what, advice, retryAfterMs)
    }
    try {
      if (afterMs > 0) await sleep(afterMs, signal, platform)
      // The last reply's events are taken in one microtask after they were dispatched; then it is known whether there is room.
      else if (turn === 'next') await Promise.resolve()
      if (holding.held) await holding.untilFree(signal)
      const to = session.address()
      if (!to || !clientId) return
      if (resuming && registry.atOrg.size > 0) {
        const again = await unsubscribeAll(to, signal)
        if (again) return await failed(again.fault, undefined, again.retryAfterMs)
      }
      const message: BayeuxMessage = { channel: '/meta/connect', connectionType: 'long-polling', id: conversation.nextId(), clientId }
      if (first) message.advice = { timeout: 0 }
      const number = ++polls.sent
      const response = await conversation.post(to, [message], first ? shortDeadline : pollDeadline(machine.memory.advice.timeoutMs), signal)
      if (signal.aborted) return
      if (poll === mine) poll = undefined
      if (!first && mayPollEarly(response)) {
        early = startPoll('early', false, 0)
        // Before the parsing, which would keep it from leaving. [PROTOCOL C4]
        if (transport.flushed) await transport.flushed()
        if (living.aborted) return
      }
      const answer = conversation.read(response, 'connect')
      if (!answer.ok) return await failed(answer.fault, undefined, answer.retryAfterMs)
      // Whatever its id: no other connect is out, and some servers leave ids out or count their own. [PROTOCOL C3]
      const isOwn = (reply: BayeuxMessage): boolean => reply.channel === '/meta/connect'
      const absorbed = session.absorb(answer, 'connect', isOwn)
      if (living.aborted) return
      if (!answer.complete) return await failed(transientFault(brokenOff()))
      if (absorbed.fault) return await failed(absorbed.fault, absorbed.advice)
      if (absorbed.disconnected) {
        early?.abort(interrupted)
        return dispatch({ type: 'disconnected' })
      }
      const { meta, events } = answer.decoded
      // Events without a reply are a reply: some servers leave it out. A reply to another request is none. [PROTOCOL C6]
      if (!meta.some(isOwn) && (meta.length > 0 || events.length === 0)) return await failed(transientFault(noReply()))
      polls.answered = Math.max(polls.answered, number)
      if (events.length === 0) polls.empty = polls.answered
      dispatch({ type: 'connected', advice: absorbed.advice, hadEvents: events.length > 0 })
    } catch (error) {
      if (!signal.aborted && !living.aborted) await failed(transientFault(knownError(error)))
    } finally {
      if (poll === mine) poll = undefined
    }
  }

  const mayPollEarly = (response: { status: number; text: string; cut?: string }): boolean => {
    if (response.cut || holding.held || conversation.inspectsReplies || machine.memory.advice.intervalMs > 0) return false
    const size = cleanReplySize(response.status, response.text)
    // Where there is nothing to parse, nothing is won.
    return size !== undefined && size > 0 && size <= registry.room(response.text.length)
  }

  const unsubscribeAll = async (to: Address, signal: AbortSignal): Promise<(Answer & { ok: false }) | undefined> => {
    const messages = [...registry.atOrg].map((subscription) => ({
      channel: '/meta/unsubscribe',
      subscription,
      id: conversation.nextId(),
      clientId: clientId as string,
    }))
    for (const chunk of chunked(messages)) {
      const answer = conversation.read(await conversation.post(to, chunk, shortDeadline, signal), 'unsubscribe')
      if (signal.aborted) throw signal.reason
      if (!answer.ok) return answer
      const { fault: found } = session.absorb(answer, 'unsubscribe', () => true)
      if (found) return { ok: false, fault: found }
    }
    registry.atOrg.clear()
    return undefined
  }

  const tell = (messages: readonly BayeuxMessage[], bad: readonly unknown[]): void => {
    for (const message of messages) parts.observeMessage(message)
    for (const message of bad) parts.report({ type: 'badMessage', reason: 'neither a reply nor an event', message })
  }

  const session: Session = {
    get live() {
      return machine.phase.tag === 'connected' && poll !== undefined
    },
    get running() {
      return machine.phase.tag !== 'idle' && machine.phase.tag !== 'stopped' && machine.phase.tag !== 'failed'
    },
    get failure() {
      return machine.phase.tag === 'failed' ? machine.phase.error : undefined
    },
    get clientId() {
      return clientId
    },
    get signal() {
      return life.signal
    },
    address: () => (url && tokens.current ? { url, accessToken: tokens.current.accessToken } : undefined),
    start() {
      if (!session.running) {
        started = deferred()
        identified = deferred()
        isIdentified = tokens.current !== undefined
        if (tokens.current) identified.resolve(orgKey(tokens.current))
        dispatch({ type: 'start' })
      }
      return started.promise
    },
    async org() {
      session.start().catch(() => {})
      return identified.promise
    },
    hold: holding.hold,
    absorb(answer, request, own) {
      const { all, bad, events } = answer.decoded
      tell(all, bad)
      const whole = registry.dispatch(events, answer.complete, answer.bytesEach, request === 'connect' ? request : 'control')
      return { ...findings(answer.decoded, request, own), whole }
    },
    fault,
    advise: (advice) => dispatch({ type: 'advised', advice }),
    polls,
    refresh() {
      const { tag } = machine.phase
      if (tag !== 'connecting' && tag !== 'connected') return false
      dispatch({ type: 'refresh' })
      return true
    },
    async stop() {
      const limit = new AbortController()
      const cancelLimit = platform.delay(() => limit.abort(interrupted), goodbyeMs)
      try {
        parts.report({ type: 'state', state: 'stopping' })
        parts.interrupted(interrupted)
        // A session that is just being made would hold a client slot until it expires.
        if (machine.phase.tag === 'handshaking' && handshaking) await untilAborted(handshaking, limit.signal).catch(() => {})
        const to = session.address()
        const message = { channel: '/meta/disconnect', id: conversation.nextId(), clientId: clientId ?? '' }
        // An async function, because an extension may throw and `stop` has to be dispatched all the same.
        const goodbye =
          clientId && to
            ? untilAborted((async () => conversation.post(to, [message], shortDeadline, limit.signal))(), limit.signal)
            : undefined
        dispatch({ type: 'stop' })
        await goodbye
      } catch {
        // Best effort: an unreachable org forgets the session by itself.
      } finally {
        cancelLimit()
        limit.abort(interrupted)
        transport.reset?.()
        await closeTransport(transport, platform)
        const stopped = new StateError({ code: 'client_stopped', message: 'The client was stopped.', remediation: 'Call start() again.' })
        started.reject(stopped)
        identified.reject(stopped)
      }
    },
  }
  return session
}
