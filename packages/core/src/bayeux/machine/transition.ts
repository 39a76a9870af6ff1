import { HandshakeError, ProtocolError, type SfStreamError } from '../../errors.ts'
import type { SourceState, SourceStatus } from '../../source/source-status.ts'
import type { Advice } from '../wire/message.ts'
import { type Attempts, backoffMs, failedOnce, limitDelayMs, noAttempts } from './backoff.ts'
import type { Effect, Input, Machine, MachineOptions, Memory, Phase, Step } from './machine.ts'

/** No server silences a client for longer than this, whatever it advises. [PROTOCOL R2] */
const maxFloorMs = 3_600_000

export interface Transition {
  machine: Machine
  effects: Effect[]
}

export function initialMachine(): Machine {
  return { phase: { tag: 'idle' }, memory: freshMemory() }
}

const noAdvice: Memory['advice'] = { intervalMs: 0, timeoutMs: undefined, maxIntervalMs: undefined }
const noFailures: Memory['attempts'] = { auth: noAttempts, handshake: noAttempts, connect: noAttempts, limit: noAttempts }

function freshMemory(): Memory {
  return {
    advice: noAdvice,
    attempts: noFailures,
    refusal: undefined,
    sessionLosses: 0,
    badReplies: 0,
    lastContact: 0,
    pollAt: 0,
    hasty: 0,
    resuming: false,
    letOut: 0,
  }
}

/** Polls that are answered sooner than this, with nothing, although no pause is advised, are no sign of life. [PROTOCOL C9] */
const hastyMs = 1_000
const maxHasty = 10
const maxPauseMs = 10_000

/** After so many, a new session is the shorter way. [PROTOCOL C7] */
const maxLetOut = 10

/**
 * The whole life of a session as one function: what happened, and when, to what is to be done. No input is an error in
 * any phase; those that come too late change nothing. The rules are PROTOCOL.md's, by number.
 */
export function transition(machine: Machine, input: Input, now: number, random: number, options: MachineOptions): Transition {
  const { phase } = machine
  const over = phase.tag === 'stopped' || phase.tag === 'failed'
  const polling = phase.tag === 'connecting' || phase.tag === 'connected'
  /** Changed as the answer takes shape; the machine that was given stays as it is. */
  let memory = { ...machine.memory }
  const effects: Effect[] = []

  const next = answer()
  const { intervalMs } = memory.advice
  // Whatever message it came with: events wait for it from now on, so it is told.
  if (intervalMs > 0 && intervalMs !== machine.memory.advice.intervalMs)
    effects.unshift({ type: 'report', status: { type: 'slowed', intervalMs } })
  return { machine: { phase: next, memory }, effects }

  function answer(): Phase {
    switch (input.type) {
      case 'start':
        if (phase.tag !== 'idle' && !over) return phase
        memory = freshMemory()
        return authenticate()

      case 'authenticated':
        if (phase.tag !== 'authenticating') return phase
        memory.attempts = { ...memory.attempts, auth: noAttempts }
        if (input.replaced) report({ type: 'reauthenticated', instanceUrl: input.instanceUrl })
        return handshake(input.replaced)

      case 'handshaken':
        if (phase.tag !== 'handshaking') return phase
        // Advice of the last session is void: keeping `reconnect: handshake` would loop on handshakes. [PROTOCOL H4]
        memory.advice = noAdvice
        mergeAdvice(input.advice)
        memory.lastContact = now
        memory.letOut = 0
        memory.resuming = false
        effects.push({ type: 'resubscribe' })
        return connectFirst()

      case 'connected': {
        if (!polling) return phase
        const advice = mergeAdvice(input.advice)
        const { intervalMs } = memory.advice
        if (advice?.reconnect === 'none' || intervalMs < 0) return reauthenticate(stopped())
        if (advice?.reconnect === 'handshake') return loseSession('the org advised a handshake')
        memory.lastContact = now
        // What is queued from before is let out first, reply by reply: it would overtake the replay. [PROTOCOL C7]
        if (memory.resuming && input.hadEvents)
          return memory.letOut++ < maxLetOut ? connectFirst(intervalMs) : loseSession('its queue did not empty')
        let afterMs = intervalMs
        if (phase.tag === 'connecting') {
          memory.letOut = 0
          report({ type: 'state', state: 'live' })
        } else if (input.hadEvents || intervalMs >= hastyMs || now - memory.pollAt >= hastyMs)
          memory = { ...freshMemory(), advice: memory.advice, lastContact: now }
        else if (++memory.hasty > maxHasty) {
          // No progress, so nothing begins anew; and as it goes on, a pause of our own. [PROTOCOL C9]
          afterMs = Math.max(intervalMs, Math.min(maxPauseMs, 500 * 2 ** (memory.hasty - maxHasty - 1)))
          if (memory.hasty === maxHasty + 1) report({ type: 'slowed', intervalMs: maxPauseMs })
        }
        if (advice?.['multiple-clients']) report({ type: 'multipleClients', intervalMs })
        if (memory.resuming) effects.push({ type: 'resubscribe' })
        memory.resuming = false
        memory.pollAt = now + afterMs
        effects.push({ type: 'connect', turn: 'next', afterMs })
        return phase.tag === 'connected' ? phase : { tag: 'connected' }
      }

      case 'advised':
        return mergeAdvice(input.advice)?.reconnect === 'handshake' && polling ? loseSession('the org advised a handshake') : phase

      case 'refresh': {
        const waits = phase.tag === 'waiting' && phase.next === 'connect'
        if (!polling && !waits) return phase
        memory.resuming = true
        effects.push({ type: 'endFeeds' })
        // A connect that was refused is tried again no sooner for it.
        return connectFirst(waits ? phase.delayMs : 0)
      }

      case 'lost':
        return phase.tag === 'idle' || over ? phase : loseSession(input.reason)

      case 'timer':
        return phase.tag === 'waiting' ? onTimer(phase) : phase

      case 'stop':
        effects.push({ type: 'endSession' })
        return enter({ tag: 'stopped' })

      case 'fault':
        return phase.tag === 'idle' || over ? phase : onFault(input)
    }
  }

  function onTimer(waited: Phase & { tag: 'waiting' }): Phase {
    if (waited.next === 'auth') return authenticate()
    if (waited.next === 'handshake') return handshake(false)
    // Away for longer than the session lives: a connect would only be told so. [PROTOCOL C8]
    const { maxIntervalMs, timeoutMs = 0, intervalMs } = memory.advice
    if (maxIntervalMs !== undefined && now - memory.lastContact > maxIntervalMs + timeoutMs + intervalMs)
      return loseSession('the session has expired')
    return connectFirst()
  }

  // A control request fails on its own; only what concerns the session reaches here. [PROTOCOL F2]
  function onFault({ step, fault: { kind, error }, advice: given, retryAfterMs = 0, retry }: Input & { type: 'fault' }): Phase {
    if (retry === false) return fail(error)
    if (step === 'auth') {
      if (kind === 'transient' || retry) return again(step, error, retryAfterMs)
      // A token that may not have been at fault is tried on; there is no other. [PROTOCOL F7]
      return error === memory.refusal && error.code === 'bad_reply' ? handshake(false) : fail(error)
    }
    const advice = forLongPolling(given)
    const intervalMs = (options.followAdvice && numberOf(advice?.interval)) || 0
    const floorMs = Math.max(retryAfterMs, intervalMs)
    const failed = step === 'handshake' ? step : 'connect'
    switch (kind) {
      case 'unknown-client':
        // Whatever the advice says: `none` comes with it when the org kicks a client. [PROTOCOL F3]
        return loseSession(error.message, intervalMs, step !== 'handshake')
      case 'other-user':
      case 'cookie':
        return memory.sessionLosses >= 3 && kind === 'cookie' ? fail(error) : loseSession(error.message, 0, true, true)
      case 'auth':
      case 'moved':
        return reauthenticate(error)
      case 'busy':
        return again(step === 'connect' && advice?.reconnect === 'retry' ? step : 'handshake', error, floorMs)
      case 'client-limit':
      case 'event-limit': {
        if (options.limits === 'fail') return fail(error)
        effects.push({ type: 'endSession' })
        const delayMs = limitDelayMs(count('limit'), random)
        return wait('handshake', delayMs, { type: 'limit', error, delayMs }, error)
      }
      case 'transient':
        // A login page in place of a reply, again and again: the token may be at fault. [PROTOCOL F7]
        if (error.code === 'bad_reply' && ++memory.badReplies === 3 && !memory.refusal) return reauthenticate(error)
        // A poll that was held for a while before it broke is no sign of a storm: proxies cut idle connections.
        if (failed === 'connect' && phase.tag === 'connected' && now - memory.pollAt > 10_000)
          memory.attempts = { ...memory.attempts, connect: noAttempts }
        return again(failed, error, retryAfterMs, true)
      case 'forbidden':
        return memory.attempts[failed].count < 4 || retry ? again(failed, error, retryAfterMs, true) : fail(error)
      case 'config':
      case 'replay':
        return retry ? again(failed, error, retryAfterMs) : fail(error)
      case 'refused':
        if (advice?.reconnect === 'none' || intervalMs < 0) return reauthenticate(error)
        if (advice?.reconnect === 'handshake' && step !== 'handshake') return loseSession(error.message, intervalMs)
        // An unknown `reconnect` counts as retry. [PROTOCOL A5]
        return again(failed, error, floorMs)
    }
  }

  /** The same request once more, later. `repliesLost`: events may have been on their way. [PROTOCOL R1-R3, C7] */
  function again(step: Step, error: SfStreamError, floorMs: number, repliesLost = false): Phase {
    const delayMs = delay(step, floorMs)
    if (delayMs === undefined) return fail(error)
    if (step !== 'connect') effects.push({ type: 'endSession' })
    else if (repliesLost) {
      memory.resuming = true
      effects.push({ type: 'endFeeds' })
    }
    const status: SourceStatus = { type: 'retry', what: step, attempt: memory.attempts[step].count, delayMs, error }
    return wait(step, delayMs, status, error)
  }

  /** A new handshake: at once the first time, then with growing delays and clean cookies. [PROTOCOL S1-S3] */
  function loseSession(reason: string, floorMs = 0, mayBeAtOnce = true, clearCookies = false): Phase {
    const isFirst = mayBeAtOnce && memory.sessionLosses + memory.attempts.handshake.count === 0
    const delayMs = delay('handshake', floorMs, isFirst)
    if (!options.reconnect || delayMs === undefined) return fail(lost(reason))
    memory.sessionLosses++
    effects.push({ type: 'endSession' })
    const status: SourceStatus = { type: 'rehandshake', reason, delayMs }
    if (delayMs > 0) return wait('handshake', delayMs, status)
    report(status)
    return handshake(clearCookies)
  }

  /** One new token, one new handshake; refused again, it is the caller's turn. [PROTOCOL F4, A4] */
  function reauthenticate(error: SfStreamError): Phase {
    if (memory.refusal) return fail(error)
    memory.refusal = error
    effects.push({ type: 'endSession' })
    return authenticate(error)
  }

  function authenticate(because?: SfStreamError): Phase {
    return enter({ tag: 'authenticating' }, because, { type: 'authenticate', refusal: memory.refusal })
  }

  function handshake(clearCookies: boolean): Phase {
    return enter({ tag: 'handshaking' }, undefined, { type: 'handshake', clearCookies: clearCookies || memory.sessionLosses >= 3 })
  }

  function connectFirst(afterMs = 0): Phase {
    effects.push({ type: 'connect', turn: memory.resuming ? 'resume' : 'first', afterMs })
    return { tag: 'connecting' }
  }

  function wait(next: Step, delayMs: number, status: SourceStatus, error?: SfStreamError): Phase {
    report(status)
    return enter({ tag: 'waiting', next, delayMs }, error, { type: 'wait', delayMs })
  }

  function fail(error: SfStreamError): Phase {
    effects.push({ type: 'fail', error }, { type: 'endSession' })
    return enter({ tag: 'failed', error }, error)
  }

  function report(status: SourceStatus): void {
    effects.push({ type: 'report', status })
  }

  /** Into a phase that is told, for this reason. */
  function enter(next: Phase & { tag: SourceState }, because?: SfStreamError, ...then: Effect[]): Phase {
    const { tag: state } = next
    report({ type: 'state', state, ...(because && { error: because }) })
    effects.push(...then)
    return next
  }

  function count(what: Step | 'limit'): Attempts {
    const attempts = failedOnce(memory.attempts[what], now)
    memory.attempts = { ...memory.attempts, [what]: attempts }
    return attempts
  }

  /** The delay after one more failure, with what the server asks for as a floor; undefined when the policy gives up. [PROTOCOL R1, R2] */
  function delay(step: Step, floorMs: number, atOnce = false): number | undefined {
    const delayMs = atOnce ? 0 : backoffMs(options.retry[step], count(step), now, random)
    return delayMs === undefined ? delayMs : Math.max(delayMs, Math.min(floorMs, maxFloorMs))
  }

  /** Field by field within a session; `reconnect` never outlives the message that carried it. [PROTOCOL A1-A3] */
  function mergeAdvice(given: Advice | undefined): Advice | undefined {
    const advice = forLongPolling(given)
    if (advice && options.followAdvice) {
      const held = memory.advice
      memory.advice = {
        intervalMs: Math.min(numberOf(advice.interval) ?? held.intervalMs, maxFloorMs),
        timeoutMs: numberOf(advice.timeout) ?? held.timeoutMs,
        maxIntervalMs: numberOf(advice.maxInterval) ?? held.maxIntervalMs,
      }
    }
    return advice
  }
}

function lost(reason: string): HandshakeError {
  return new HandshakeError({
    code: 'session_lost',
    message: `The session was lost: ${reason}.`,
    remediation: 'Leave `reconnect` on, or subscribe from the last replay id.',
    retryable: true,
  })
}

function stopped(): ProtocolError {
  return new ProtocolError({
    code: 'server_stopped',
    message: 'The org advised to stop, and gave no reason.',
    remediation: 'Ask the org’s administrator; start() tries again.',
  })
}

/** What advice says for this transport alone wins over what it says for all. */
function forLongPolling(advice: Advice | undefined): Advice | undefined {
  const own = advice?.['long-polling']
  return typeof own === 'object' ? { ...advice, ...own } : advice
}

function numberOf(value: unknown): number | undefined {
  return Number.isFinite(value) ? (value as number) : undefined
}
