import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Input, MachineOptions } from '../../src/bayeux/machine/machine.ts'
import { initialMachine, transition } from '../../src/bayeux/machine/transition.ts'
import type { Fault, FaultKind } from '../../src/bayeux/wire/fault.ts'
import type { Advice } from '../../src/index.ts'
import { at, authenticated, badReply, connected, error, fault, handshaken, options, refresh, start, timer } from './inputs.ts'

describe('transition: whatever happens', () => {
  const kinds: FaultKind[] = [
    'unknown-client',
    'busy',
    'auth',
    'client-limit',
    'event-limit',
    'cookie',
    'other-user',
    'config',
    'replay',
    'moved',
    'forbidden',
    'transient',
    'refused',
  ]
  const advice: fc.Arbitrary<Advice> = fc.record(
    {
      reconnect: fc.constantFrom('retry', 'handshake', 'none', 'other'),
      interval: fc.oneof(fc.integer({ min: -5, max: 5_000 }), fc.double(), fc.constant('x' as never)),
      timeout: fc.oneof(fc.nat(200_000), fc.double()),
      maxInterval: fc.oneof(fc.nat(100_000), fc.double()),
      'long-polling': fc.anything(),
      'multiple-clients': fc.boolean(),
    },
    { requiredKeys: [] },
  )
  const optionalAdvice = fc.option(advice, { nil: undefined })
  const anyFault: fc.Arbitrary<Fault> = fc.record({ kind: fc.constantFrom(...kinds), error: fc.constantFrom(error, badReply) })
  const input: fc.Arbitrary<Input> = fc.oneof(
    fc.constantFrom<Input>(
      start,
      timer,
      timer,
      timer,
      refresh,
      authenticated,
      { ...authenticated, replaced: true } as Input,
      { type: 'lost', reason: 'the org closed the session' },
      { type: 'stop' },
    ),
    optionalAdvice.map((value): Input => ({ type: 'handshaken', advice: value })),
    fc.tuple(optionalAdvice, fc.boolean()).map(([value, hadEvents]) => connected(value, hadEvents)),
    advice.map((value): Input => ({ type: 'advised', advice: value })),
    fc.record({
      type: fc.constant('fault' as const),
      step: fc.constantFrom('auth' as const, 'handshake' as const, 'connect' as const, 'subscribe' as const),
      fault: anyFault,
      advice: optionalAdvice,
      retryAfterMs: fc.option(fc.oneof(fc.nat(10_000), fc.double({ min: 0, noNaN: true })), { nil: undefined }),
      retry: fc.option(fc.boolean(), { nil: undefined }),
    }),
  )
  const anyOptions: fc.Arbitrary<Partial<MachineOptions>> = fc.record({
    limits: fc.constantFrom('wait' as const, 'fail' as const),
    reconnect: fc.boolean(),
    followAdvice: fc.boolean(),
  })
  const history = fc.array(fc.record({ input, elapsed: fc.nat(200_000), random: fc.double({ min: 0, max: 0.999, noNaN: true }) }), {
    maxLength: 40,
  })

  it('no input throws, at most one thing is under way, and a phase never stands without something to move it', () => {
    fc.assert(
      fc.property(history, anyOptions, (steps, more) => {
        let machine = initialMachine()
        let now = 0
        for (const { input: next, elapsed, random } of steps) {
          now += elapsed
          const before = machine
          const result = transition(before, next, now, random, options(more))
          machine = result.machine
          const kindsOf = result.effects.map(({ type }) => type)
          const active = kindsOf.filter((type) => type === 'authenticate' || type === 'handshake' || type === 'connect' || type === 'wait')
          expect(active.length).toBeLessThanOrEqual(1)
          // Every change of phase that waits for something has started just that.
          const awaited = {
            authenticating: 'authenticate',
            handshaking: 'handshake',
            connecting: 'connect',
            connected: 'connect',
            waiting: 'wait',
          } as Record<string, string>
          if (machine.phase !== before.phase) expect(active).toEqual(awaited[machine.phase.tag] ? [awaited[machine.phase.tag]] : [])
          // What was under way before is ended first, or was just answered.
          const answered = ['authenticated', 'handshaken', 'connected', 'timer', 'start'].includes(next.type)
          const failedOwnStep = next.type === 'fault'
          // Both ends abort whatever was on its way.
          if (active.length > 0 && !answered && !failedOwnStep)
            expect(kindsOf.includes('endSession') || kindsOf.includes('endFeeds')).toBe(true)
          for (const effect of result.effects) {
            const delay = effect.type === 'wait' ? effect.delayMs : effect.type === 'connect' ? effect.afterMs : 0
            expect(delay).toBeGreaterThanOrEqual(0)
            expect(delay).toBeLessThanOrEqual(3_600_000)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('a connect is sent only when none is out', () => {
    fc.assert(
      fc.property(history, anyOptions, (steps, more) => {
        let machine = initialMachine()
        let out = false
        let now = 0
        for (const { input: next, elapsed, random } of steps) {
          // Only what can happen: an answer, or a fault of connect, while one is out.
          if ((next.type === 'connected' || (next.type === 'fault' && next.step === 'connect')) && !out) continue
          if (next.type === 'connected' || (next.type === 'fault' && next.step === 'connect')) out = false
          now += elapsed
          const result = transition(machine, next, now, random, options(more))
          machine = result.machine
          for (const { type } of result.effects) {
            if (type === 'endSession' || type === 'endFeeds') out = false
            if (type === 'connect') {
              expect(out).toBe(false)
              out = true
            }
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('handshakes without progress come with delays that grow to a bound, whatever the faults', () => {
    const failures = fc.constantFrom<Input>(
      fault('unknown-client', 'connect'),
      fault('unknown-client', 'connect', { advice: { reconnect: 'none' } }),
      fault('other-user', 'connect'),
      fault('busy', 'connect', { advice: { reconnect: 'none' } }),
      fault('refused', 'connect', { advice: { reconnect: 'handshake' } }),
      connected({ reconnect: 'handshake' }),
      { type: 'lost', reason: 'the org closed the session' },
    )
    fc.assert(
      fc.property(fc.array(failures, { minLength: 12, maxLength: 30 }), (inputs) => {
        let machine = at('connecting')
        let now = 0
        const delays: number[] = []
        for (const next of inputs) {
          const gone = transition(machine, next, now, 1, options())
          const wait = gone.effects.find((effect) => effect.type === 'wait')
          const delay = wait?.type === 'wait' ? wait.delayMs : 0
          delays.push(delay)
          now += delay
          const shaken = wait ? transition(gone.machine, timer, now, 1, options()) : gone
          expect(shaken.machine.phase.tag).toBe('handshaking')
          machine = transition(shaken.machine, handshaken, now, 1, options()).machine
        }
        expect(delays.filter((delay) => delay === 0).length).toBeLessThanOrEqual(1)
        expect(delays.slice(1)).toEqual([...delays.slice(1)].sort((a, b) => a - b))
        expect(Math.max(...delays)).toBe(60_000)
      }),
      { numRuns: 200 },
    )
  })
})
