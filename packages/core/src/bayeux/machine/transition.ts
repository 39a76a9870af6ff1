import { HandshakeError, ProtocolError, type SfStreamError } from '../../errors.ts'
import type { Fault } from '../wire/fault.ts'
import type { Advice } from '../wire/message.ts'
import { backoffMs, failedOnce, limitDelayMs, noAttempts } from './backoff.ts'
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

function freshMemory(): Memory {
  return {
    advice: { intervalMs: 0, timeoutMs: undefined, maxIntervalMs: undefined },
    attempts: { authenticate: noAttempts, handshake: noAttempts, connect: noAttempts, limit: noAttempts },
    reauthenticated: false,
    sessionLosses: 0,
    badReplies: 0,
    lastContact: 0,
    pollAt: 0,
    hasty: 0,
    letOut: 0,
  }
}

/** Polls that are answered sooner than this, with nothing, although no pause is advised, are no sign of life. [PROTOCOL C9] */
const hastyMs = 1_000
const maxHasty = 10
const hastyPolicy = { baseMs: 500, factor: 2, capMs: 10_000 }

/** After so many, a new session is the shorter way. [PROTOCOL C7] */
const maxLetOut = 10

/**
 * The whole life of a session as one function: what happened, and when, to what is to be done. No input is an error in
 * any phase; those that come too late change nothing. The rules are PROTOCOL.md's, by number.
 */
export function transition(machine: Machine, given: Input, now: number, random: number, options: MachineOptions): Transition {
  const result = answered(machine, overlaid(given), now, random, options)
  const { intervalMs } = result.machine.memory.advice
  // Whatever message it came with: events wait for it from now on, so it is told.
  if (intervalMs > 0 && intervalMs !== machine.memory.advice.intervalMs)
    result.effects.unshift({ type: 'report', status: { type: 'slowed', intervalMs } })
  return result
}

function answered(machine: Machine, input: Input, now: number, random: number, options: MachineOptions): Transition {
  const { phase, memory } = machine
  const to = (next: Phase, nextMemory: Memory, ...effects: Effect[]): Transition => ({
    machine: { phase: next, memory: nextMemory },
    effects,
  })
  const ignore: Transition = { machine, effects: [] }
  const over = phase.tag === 'stopped' || phase.tag === 'failed'

  switch (input.type) {
    case 'start':
      if (phase.tag !== 'idle' && !over) return ignore
      return to({ tag: 'authenticating' }, freshMemory(), state('authenticating'), { type: 'authenticate', replace: false })

    case 'authenticated': {
      if (phase.tag !== 'authenticating') return ignore
      const attempts = { ...memory.attempts, authenticate: noAttempts }
      const report: Effect[] = input.replaced
        ? [{ type: 'report', status: { type: 'reauthenticated', instanceUrl: input.instanceUrl } }]
        : []
      return to({ tag: 'handshaking' }, { ...memory, attempts }, ...report, state('handshaking'), {
        type: 'handshake',
        clearCookies: input.replaced,
      })
    }

    case 'handshaken': {
      if (phase.tag !== 'handshaking') return ignore
      // Advice of the last session is void: keeping `reconnect: handshake` would loop on handshakes. [PROTOCOL H4]
      const advice = mergeAdvice(freshMemory().advice, input.advice, options)
      const connect: Effect = { type: 'connect', first: true, resuming: false, afterMs: 0 }
      return to(
        { tag: 'connecting', resuming: false },
        { ...memory, advice, lastContact: now, letOut: 0 },
        { type: 'resubscribe' },
        connect,
      )
    }

    case 'connected': {
      if (phase.tag !== 'connecting' && phase.tag !== 'connected') return ignore
      const advice = mergeAdvice(memory.advice, input.advice, options)
      if (input.advice?.reconnect === 'none' || advice.intervalMs < 0) return hardStop(undefined)
      if (input.advice?.reconnect === 'handshake') return loseSession('the org advised a handshake')
      const clients: Effect[] = input.advice?.['multiple-clients']
        ? [{ type: 'report', status: { type: 'multipleClients', intervalMs: advice.intervalMs } }]
        : []
      const connect: Effect = { type: 'connect', first: false, resuming: false, afterMs: advice.intervalMs }
      // What is queued from before is let out first, reply by reply: it would overtake the replay. [PROTOCOL C7]
      if (phase.tag === 'connecting' && phase.resuming && input.hadEvents) {
        if (memory.letOut >= maxLetOut) return loseSession('its queue did not empty')
        return to(
          phase,
          { ...memory, advice, lastContact: now, letOut: memory.letOut + 1 },
          { type: 'connect', first: true, resuming: true, afterMs: advice.intervalMs },
        )
      }
      if (phase.tag === 'connecting') {
        const resubscribe: Effect[] = phase.resuming ? [{ type: 'resubscribe' }] : []
        return to(
          { tag: 'connected' },
          { ...memory, advice, lastContact: now, pollAt: now + advice.intervalMs, letOut: 0 },
          state('live'),
          ...clients,
          ...resubscribe,
          connect,
        )
      }
      const isHasty = !input.hadEvents && advice.intervalMs < hastyMs && now - memory.pollAt < hastyMs
      if (!isHasty) return to(phase, { ...freshMemory(), advice, lastContact: now, pollAt: now + advice.intervalMs }, ...clients, connect)
      // No progress, so nothing begins anew; and if it goes on, a pause of our own. [PROTOCOL C9]
      const hasty = memory.hasty + 1
      const { baseMs, factor, capMs } = hastyPolicy
      const pauseMs = hasty > maxHasty ? Math.min(capMs, baseMs * factor ** (hasty - maxHasty - 1)) : 0
      const afterMs = Math.max(advice.intervalMs, pauseMs)
      const slowed: Effect[] = hasty === maxHasty + 1 ? [{ type: 'report', status: { type: 'slowed', intervalMs: capMs } }] : []
      return to(phase, { ...memory, advice, lastContact: now, pollAt: now + afterMs, hasty }, ...clients, ...slowed, {
        ...connect,
        afterMs,
      })
    }

    case 'advised': {
      const advice = mergeAdvice(memory.advice, input.advice, options)
      if (input.advice.reconnect === 'handshake' && (phase.tag === 'connecting' || phase.tag === 'connected')) {
        return loseSession('the org advised a handshake')
      }
      return to(phase, { ...memory, advice })
    }

    case 'refresh': {
      if (phase.tag !== 'connecting' && phase.tag !== 'connected') return ignore
      const connect: Effect = { type: 'connect', first: true, resuming: true, afterMs: 0 }
      return to({ tag: 'connecting', resuming: true }, memory, { type: 'endFeeds' }, connect)
    }

    case 'disconnected':
      if (phase.tag === 'idle' || over) return ignore
      return loseSession('the org closed the session')

    case 'timer':
      return phase.tag === 'waiting' ? onTimer(phase) : ignore

    case 'stop':
      return to({ tag: 'stopped' }, memory, { type: 'endSession' }, state('stopped'))

    case 'fault':
      return over || phase.tag === 'idle' ? ignore : onFault(input.step, input.fault, input.advice, input.retryAfterMs, input.retry)
  }

  function onTimer({ next, resuming }: Phase & { tag: 'waiting' }): Transition {
    switch (next) {
      case 'authenticate':
        return to({ tag: 'authenticating' }, memory, state('authenticating'), { type: 'authenticate', replace: memory.reauthenticated })
      case 'handshake':
        return handshake(memory)
      case 'connect': {
        // Away for longer than the session lives: a connect would only be told so. [PROTOCOL C8]
        const { maxIntervalMs, timeoutMs = 0, intervalMs } = memory.advice
        if (maxIntervalMs !== undefined && now - memory.lastContact > maxIntervalMs + timeoutMs + intervalMs)
          return loseSession('the session has expired')
        return to({ tag: 'connecting', resuming }, memory, { type: 'connect', first: true, resuming, afterMs: 0 })
      }
    }
  }

  // --- the answers to a fault -------------------------------------------------------------------------------------

  function onFault(step: Step | 'control', fault: Fault, advice?: Advice, retryAfterMs = 0, retry?: boolean): Transition {
    // A control request fails on its own; only what concerns the session reaches here. [PROTOCOL F2]
    if (retry === false) return fail(fault.error)
    switch (fault.kind) {
      case 'unknown-client':
        // Whatever the advice says: `none` comes with it when the org kicks a client. [PROTOCOL F3]
        return loseSession(fault.error.message, step === 'handshake' ? 1 : 0, adviceFloor(advice))
      case 'other-user':
      case 'cookie':
        return memory.sessionLosses >= 3 && fault.kind === 'cookie' ? fail(fault.error) : loseSession(fault.error.message, 0, 0, true)
      case 'auth':
        return step === 'authenticate' ? fail(fault.error) : reauthenticate(fault.error)
      case 'busy':
        if (step === 'connect' && advice?.reconnect === 'retry') return again('connect', fault.error, retryAfterMs)
        return again(step === 'authenticate' ? step : 'handshake', fault.error, Math.max(retryAfterMs, adviceFloor(advice)))
      case 'client-limit':
      case 'event-limit':
        return waitForLimit(fault.error)
      case 'moved':
        return memory.reauthenticated ? fail(fault.error) : reauthenticate(fault.error)
      case 'transient': {
        if (step === 'authenticate') return again(step, fault.error, retryAfterMs)
        // A login page in place of a reply, again and again: the token may be at fault. [PROTOCOL F7]
        const badReplies = fault.error.code === 'bad_reply' ? memory.badReplies + 1 : memory.badReplies
        if (badReplies === 3 && !memory.reauthenticated) return reauthenticate(fault.error, { ...memory, badReplies })
        if (step === 'handshake') return again(step, fault.error, retryAfterMs, { ...memory, badReplies })
        // A poll that was held for a while before it broke is no sign of a storm: proxies cut idle connections.
        const held = phase.tag === 'connected' && now - memory.pollAt > 10_000
        const attempts = held ? { ...memory.attempts, connect: noAttempts } : memory.attempts
        return again('connect', fault.error, retryAfterMs, { ...memory, badReplies, attempts }, true)
      }
      case 'forbidden':
        return memory.attempts[step === 'handshake' ? step : 'connect'].count >= 4 && retry !== true
          ? fail(fault.error)
          : again(step === 'handshake' ? step : 'connect', fault.error, retryAfterMs, memory, true)
      case 'config':
      case 'replay':
        return retry === true ? again(step === 'connect' ? step : 'handshake', fault.error, retryAfterMs) : fail(fault.error)
      case 'refused':
        if (step === 'authenticate') return retry === true ? again(step, fault.error, retryAfterMs) : fail(fault.error)
        if (advice?.reconnect === 'none') return hardStop(fault.error)
        if (advice?.reconnect === 'handshake') {
          return step === 'handshake'
            ? again(step, fault.error, Math.max(retryAfterMs, adviceFloor(advice)))
            : loseSession(fault.error.message, 0, adviceFloor(advice))
        }
        if (adviceFloor(advice) < 0) return hardStop(fault.error)
        // An unknown `reconnect` counts as retry. [PROTOCOL A5]
        return again(step === 'handshake' ? step : 'connect', fault.error, Math.max(retryAfterMs, adviceFloor(advice)))
    }
  }

  function adviceFloor(advice: Advice | undefined): number {
    return (options.followAdvice && numberOf(advice?.interval)) || 0
  }

  /** The same request once more, later. `repliesLost`: events may have been on their way. [PROTOCOL R1-R3, C7] */
  function again(step: Step, error: SfStreamError, floorMs: number, from: Memory = memory, repliesLost = false): Transition {
    const attempts = failedOnce(from.attempts[step], now)
    const delay = backoffMs(options.retry[step === 'authenticate' ? 'auth' : step], attempts, now, random)
    if (delay === undefined) return fail(error)
    const delayMs = Math.max(delay, Math.min(floorMs, maxFloorMs))
    const what = step === 'authenticate' ? 'auth' : step
    const next = { ...from, attempts: { ...from.attempts, [step]: attempts } }
    return to(
      { tag: 'waiting', next: step, resuming: step === 'connect' && (repliesLost || (phase.tag === 'connecting' && phase.resuming)) },
      next,
      ...(step !== 'connect' ? [{ type: 'endSession' } as const] : repliesLost ? [{ type: 'endFeeds' } as const] : []),
      { type: 'report', status: { type: 'retry', what, attempt: attempts.count, delayMs, error } },
      state('waiting', error),
      { type: 'wait', delayMs },
    )
  }

  /** A new handshake: at once the first time, then with growing delays and clean cookies. [PROTOCOL S1-S3] */
  function loseSession(reason: string, extraLosses = 0, floorMs = 0, clearCookies = false): Transition {
    if (!options.reconnect) return fail(lost(reason))
    const sessionLosses = memory.sessionLosses + 1
    const held = memory.attempts.handshake
    const isFirst = memory.sessionLosses + extraLosses + held.count === 0
    const attempts = isFirst ? held : failedOnce(held, now)
    const next = { ...memory, sessionLosses, attempts: { ...memory.attempts, handshake: attempts } }
    const delay = isFirst ? 0 : backoffMs(options.retry.handshake, attempts, now, random)
    if (delay === undefined) return fail(lost(reason))
    const delayMs = Math.max(delay, Math.min(floorMs, maxFloorMs))
    const report: Effect = { type: 'report', status: { type: 'rehandshake', reason, delayMs } }
    if (delayMs === 0) {
      const atOnce = handshake(next, clearCookies)
      return { machine: atOnce.machine, effects: [{ type: 'endSession' }, report, ...atOnce.effects] }
    }
    return to({ tag: 'waiting', next: 'handshake', resuming: false }, next, { type: 'endSession' }, report, state('waiting'), {
      type: 'wait',
      delayMs,
    })
  }

  function handshake(from: Memory, clearCookies = false): Transition {
    return to({ tag: 'handshaking' }, from, state('handshaking'), {
      type: 'handshake',
      clearCookies: clearCookies || from.sessionLosses >= 3,
    })
  }

  /** One new token, one new handshake; refused again, it is the caller's turn. [PROTOCOL F4] */
  function reauthenticate(error: SfStreamError, from: Memory = memory): Transition {
    if (from.reauthenticated) return fail(error)
    return to({ tag: 'authenticating' }, { ...from, reauthenticated: true }, { type: 'endSession' }, state('authenticating', error), {
      type: 'authenticate',
      replace: true,
      because: error,
    })
  }

  function waitForLimit(error: SfStreamError): Transition {
    if (options.limits === 'fail') return fail(error)
    const limit = failedOnce(memory.attempts.limit, now)
    const delayMs = limitDelayMs(limit, random)
    return to(
      { tag: 'waiting', next: 'handshake', resuming: false },
      { ...memory, attempts: { ...memory.attempts, limit } },
      { type: 'endSession' },
      { type: 'report', status: { type: 'limit', error, delayMs } },
      state('waiting', error),
      { type: 'wait', delayMs },
    )
  }

  /** `reconnect: none` with a text nobody knows: a new token may help, once. [PROTOCOL A4] */
  function hardStop(error: SfStreamError | undefined): Transition {
    const cause = error ?? stopped()
    return memory.reauthenticated ? fail(cause) : reauthenticate(cause)
  }

  function fail(error: SfStreamError): Transition {
    return to({ tag: 'failed', error }, memory, { type: 'fail', error }, { type: 'endSession' }, state('failed', error))
  }
}

function lost(reason: string): HandshakeError {
  return new HandshakeError({
    code: 'session_lost',
    message: `The session was lost: ${reason}.`,
    remediation: 'Leave `reconnect` on, or subscribe again from the last replay id.',
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

function state(name: 'authenticating' | 'handshaking' | 'live' | 'waiting' | 'stopped' | 'failed', error?: SfStreamError): Effect {
  return { type: 'report', status: error ? { type: 'state', state: name, error } : { type: 'state', state: name } }
}

/** What advice says for this transport alone wins over what it says for all. */
function overlaid(input: Input): Input {
  const own = 'advice' in input ? input.advice?.['long-polling'] : undefined
  return typeof own === 'object' ? ({ ...input, advice: { ...(input as { advice: Advice }).advice, ...(own as Advice) } } as Input) : input
}

/** Field by field within a session; `reconnect` never outlives the message that carried it. [PROTOCOL A1-A3] */
function mergeAdvice(held: Memory['advice'], advice: Advice | undefined, options: MachineOptions): Memory['advice'] {
  if (!advice || !options.followAdvice) return held
  return {
    intervalMs: Math.min(numberOf(advice.interval) ?? held.intervalMs, maxFloorMs),
    timeoutMs: numberOf(advice.timeout) ?? held.timeoutMs,
    maxIntervalMs: numberOf(advice.maxInterval) ?? held.maxIntervalMs,
  }
}

function numberOf(value: unknown): number | undefined {
  return Number.isFinite(value) ? (value as number) : undefined
}
