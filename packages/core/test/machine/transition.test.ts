import { describe, expect, it } from 'vitest'
import type { Input, Machine, MachineOptions, Phase } from '../../src/bayeux/machine/machine.ts'
import { transition } from '../../src/bayeux/machine/transition.ts'
import type { FaultKind } from '../../src/bayeux/wire/fault.ts'
import type { Advice } from '../../src/index.ts'
import {
  again,
  anew,
  at,
  authenticated,
  badReply,
  connected,
  failed,
  fault,
  handshaken,
  lost,
  options,
  phases,
  policy,
  refresh,
  run,
  short,
  start,
  timer,
  where,
} from './inputs.ts'

describe('transition: what each input does in each phase', () => {
  it('the path to every phase leads there', () => {
    for (const tag of phases) expect(at(tag).phase.tag).toBe(tag)
  })

  const starts = ['authenticating', 'authenticate']
  const table: [string, Input, Partial<Record<Phase['tag'], string[]>>][] = [
    ['start', start, { idle: starts, stopped: starts, failed: starts }],
    ['a token', authenticated, { authenticating: ['handshaking', 'handshake'] }],
    [
      'a new token',
      { ...authenticated, replaced: true } as Input,
      { authenticating: ['reauthenticated', 'handshaking', 'handshake clean'] },
    ],
    ['a handshake', handshaken, { handshaking: ['resubscribe', 'connect first'] }],
    ['an answered poll', connected(), { connecting: ['live', 'connect'], connected: ['connect'] }],
    [
      'an answered poll with an interval',
      connected({ interval: 2_000, 'multiple-clients': true }),
      {
        connecting: ['slowed', 'live', 'multipleClients', 'connect after 2000'],
        connected: ['slowed', 'multipleClients', 'connect after 2000'],
      },
    ],
    ['a poll answered with advice handshake', connected({ reconnect: 'handshake' }), { connecting: lost, connected: lost }],
    ['a poll answered with advice none', connected({ reconnect: 'none' }), { connecting: anew, connected: anew }],
    ['a poll answered with a negative interval', connected({ interval: -1 }), { connecting: anew, connected: anew }],
    ['advice handshake on another message', { type: 'advised', advice: { reconnect: 'handshake' } }, { connecting: lost, connected: lost }],
    ['advice retry on another message', { type: 'advised', advice: { reconnect: 'retry' } }, {}],
    [
      'a pushed disconnect',
      { type: 'lost', reason: 'the org closed the session' },
      {
        authenticating: lost,
        handshaking: lost,
        connecting: lost,
        connected: lost,
        waiting: lost.slice(0, 2).concat(['waiting', 'wait 2000']),
      },
    ],
    [
      'a channel wanted again that may have events queued',
      refresh,
      { connecting: ['endFeeds', 'connect first resuming'], connected: ['endFeeds', 'connect first resuming'] },
    ],
    ['the timer', timer, { waiting: ['handshaking', 'handshake'] }],
    ['stop', { type: 'stop' }, Object.fromEntries(phases.map((tag) => [tag, ['endSession', 'stopped']]))],
  ]
  it.each(table.flatMap(([name, input, expected]) => phases.map((tag) => [name, tag, input, expected[tag] ?? []] as const)))(
    '%s while %s',
    (_, tag, input, expected) => {
      const before = at(tag)
      const { machine, effects } = transition(before, input, 0, 1, options())
      expect(short(effects)).toEqual(expected)
      if (expected.length === 0) expect(machine.phase).toBe(before.phase)
    },
  )

  it('faults change nothing before a start and after an end', () => {
    for (const tag of ['idle', 'stopped', 'failed'] as const) {
      const before = at(tag)
      expect(transition(before, fault('unknown-client', 'connect'), 0, 1, options())).toEqual({ machine: before, effects: [] })
    }
  })
})

describe('transition: the answer to each fault', () => {
  type Row = [kind: FaultKind, step: 'auth' | 'handshake' | 'connect' | 'subscribe', advice: Advice | undefined, expected: string[]]
  const limit = ['endSession', 'limit', 'waiting', 'wait 60000']
  const rows: Row[] = [
    ['unknown-client', 'connect', { reconnect: 'handshake' }, lost],
    ['unknown-client', 'connect', { reconnect: 'none' }, lost],
    ['unknown-client', 'subscribe', undefined, lost],
    ['unknown-client', 'connect', { interval: 3_000 }, ['endSession', 'rehandshake', 'waiting', 'wait 3000']],
    // A handshake refused like that is never repeated at once.
    ['unknown-client', 'handshake', undefined, ['endSession', 'rehandshake', 'waiting', 'wait 1000']],
    ['other-user', 'connect', { reconnect: 'none' }, [...lost.slice(0, 3), 'handshake clean']],
    ['cookie', 'connect', undefined, [...lost.slice(0, 3), 'handshake clean']],
    ['auth', 'connect', { reconnect: 'none' }, anew],
    ['auth', 'handshake', undefined, anew],
    ['auth', 'subscribe', undefined, anew],
    ['auth', 'auth', undefined, failed],
    ['busy', 'connect', { reconnect: 'retry' }, again()],
    ['busy', 'connect', { reconnect: 'none' }, again('endSession')],
    ['busy', 'handshake', undefined, again('endSession')],
    ['busy', 'auth', undefined, failed],
    ['busy', 'handshake', { interval: 5_000 }, ['endSession', 'retry', 'waiting', 'wait 5000']],
    ['client-limit', 'handshake', { reconnect: 'none' }, limit],
    ['event-limit', 'connect', undefined, limit],
    ['moved', 'connect', undefined, anew],
    ['transient', 'connect', undefined, again('endFeeds')],
    ['transient', 'subscribe', undefined, again('endFeeds')],
    ['transient', 'handshake', undefined, again('endSession')],
    ['transient', 'auth', undefined, again('endSession')],
    ['forbidden', 'connect', undefined, again('endFeeds')],
    ['forbidden', 'handshake', undefined, again('endSession')],
    ['config', 'handshake', undefined, failed],
    ['config', 'connect', undefined, failed],
    ['replay', 'connect', undefined, failed],
    ['refused', 'auth', undefined, failed],
    ['refused', 'connect', { reconnect: 'none' }, anew],
    ['refused', 'connect', { reconnect: 'handshake' }, lost],
    ['refused', 'connect', { reconnect: 'handshake', interval: 4_000 }, ['endSession', 'rehandshake', 'waiting', 'wait 4000']],
    ['refused', 'handshake', { reconnect: 'handshake', interval: 4_000 }, ['endSession', 'retry', 'waiting', 'wait 4000']],
    ['refused', 'connect', { reconnect: 'retry' }, again()],
    ['refused', 'connect', { reconnect: 'whatever' }, again()],
    ['refused', 'connect', undefined, again()],
    ['refused', 'handshake', undefined, again('endSession')],
    ['refused', 'connect', { interval: -1 }, anew],
  ]
  it.each(rows)('%s on %s with advice %j', (kind, step, advice, expected) => {
    const { effects } = transition(at(where(step)), fault(kind, step, { advice }), 0, 1, options())
    expect(short(effects)).toEqual(expected)
  })

  it.each(['config', 'replay', 'refused'] as const)('a caller’s true has %s tried again, false fails whatever it is', (kind) => {
    expect(short(transition(at('handshaking'), fault(kind, 'handshake', { retry: true }), 0, 1, options()).effects)).toContain('retry')
    expect(short(transition(at('connected'), fault(kind, 'connect', { retry: true }), 0, 1, options()).effects)).toContain('retry')
    expect(short(transition(at('connected'), fault('transient', 'connect', { retry: false }), 0, 1, options()).effects)).toEqual(failed)
    expect(short(transition(at('authenticating'), fault('refused', 'auth', { retry: true }), 0, 1, options()).effects)).toContain('retry')
  })

  it('Retry-After is the least delay', () => {
    for (const [kind, step] of [
      ['transient', 'connect'],
      ['transient', 'handshake'],
      ['transient', 'auth'],
      ['busy', 'handshake'],
      ['refused', 'connect'],
    ] as const) {
      const { effects } = transition(at(where(step)), fault(kind, step, { retryAfterMs: 7_000 }), 0, 1, options())
      expect(short(effects), `${kind} on ${step}`).toContain('wait 7000')
    }
  })

  it('a second refusal of a new token fails, as does a hard stop or a moved org after one', () => {
    for (const kind of ['auth', 'moved'] as const) {
      const renewed = run([fault('auth', 'connect'), authenticated, handshaken], {}, at('connected')).machine
      expect(short(transition(renewed, fault(kind, 'connect'), 0, 1, options()).effects)).toEqual(failed)
      expect(short(transition(renewed, connected({ reconnect: 'none' }), 0, 1, options()).effects)).toEqual(failed)
    }
    // An answered poll is progress: the next refusal gets a new token again.
    const progressed = run(
      [fault('auth', 'connect'), authenticated, handshaken, connected(), connected(undefined, true)],
      {},
      at('connected'),
    ).machine
    expect(short(transition(progressed, fault('auth', 'connect'), 0, 1, options()).effects)).toEqual(anew)
  })

  it('a login that fails while a token is being replaced still replaces it when tried again', () => {
    const { effects } = run([fault('auth', 'connect'), fault('transient', 'auth'), timer], {}, at('connected'))
    expect(short(effects)).toEqual(['authenticating', 'authenticate anew'])
  })

  it('missing cookies give up after three sessions, HTTP 403 after five attempts', () => {
    const cookie = [fault('cookie', 'connect'), timer, handshaken]
    expect(short(run([...cookie, ...cookie, ...cookie, fault('cookie', 'connect')], {}, at('connected')).effects)).toEqual(failed)
    for (const [step, tag] of [
      ['handshake', 'handshaking'],
      ['connect', 'connecting'],
    ] as const) {
      const forbidden = Array.from({ length: 4 }, () => [fault('forbidden', step), timer]).flat()
      const { machine } = run(forbidden, {}, at(tag))
      expect(short(transition(machine, fault('forbidden', step), 0, 1, options()).effects), step).toEqual(failed)
      expect(short(transition(machine, fault('forbidden', step, { retry: true }), 0, 1, options()).effects), step).toContain('retry')
    }
  })

  it('the third unreadable reply in a row asks for a new token, once', () => {
    const page = fault('transient', 'connect', { fault: { kind: 'transient', error: badReply } })
    const twice = run([page, timer, page, timer], {}, at('connected')).machine
    const third = transition(twice, page, 0, 1, options())
    expect(short(third.effects)).toEqual(anew)
    // Where there is no other, the old one goes on.
    const none = fault('auth', 'auth', { fault: { kind: 'auth', error: badReply } })
    expect(short(transition(third.machine, none, 0, 1, options()).effects)).toEqual(['handshaking', 'handshake'])
    expect(short(transition(at('authenticating'), none, 0, 1, options()).effects)).toEqual(failed)
    const refused = transition(at('connected'), fault('auth', 'connect'), 0, 1, options()).machine
    expect(short(transition(refused, fault('auth', 'auth'), 0, 1, options()).effects)).toEqual(failed)
    const renewed = run([authenticated, handshaken, page, timer, page, timer, page], {}, third.machine)
    expect(short(renewed.effects)).toContain('retry')
  })

  it('a poll that was held for a while before it broke does not count as a repeat', () => {
    let machine = at('connected')
    for (let round = 0; round < 5; round++) {
      const now = (round + 1) * 100_000
      const broken = transition(machine, fault('transient', 'connect'), now, 1, options())
      expect(short(broken.effects)).toEqual(again('endFeeds'))
      machine = run([timer, connected()], {}, broken.machine, now).machine
    }
    const at5 = 500_000
    expect(short(transition(machine, fault('transient', 'connect'), at5 + 5_000, 1, options()).effects)).toContain('wait 2000')
  })

  it('what a failed poll may have carried away is asked for again: unsubscribed first, then subscribed', () => {
    const { machine } = run([fault('transient', 'connect')], {}, at('connected'))
    const tried = transition(machine, timer, 0, 1, options())
    expect(short(tried.effects)).toEqual(['connect first resuming'])
    expect(short(transition(tried.machine, connected(), 0, 1, options()).effects)).toEqual(['live', 'resubscribe', 'connect'])
    // A refusal in between loses nothing more, and forgets nothing.
    const refused = run([fault('refused', 'connect'), timer], {}, tried.machine)
    expect(short(refused.effects)).toEqual(['connect first resuming'])
    const plain = run([fault('refused', 'connect'), timer], {}, at('connected'))
    expect(short(plain.effects)).toEqual(['connect first'])
  })

  it('what is queued from before is let out reply by reply, before anything is subscribed', () => {
    for (const draining of [run([refresh], {}, at('connected')), run([fault('transient', 'connect'), timer], {}, at('connected'))]) {
      const more = run([connected({ interval: 300, timeout: 9 }, true)], {}, draining.machine, 7)
      expect(short(more.effects)).toEqual(['slowed', 'connect first resuming after 300'])
      expect(more.machine.memory).toMatchObject({ lastContact: 7, advice: { intervalMs: 300, timeoutMs: 9 } })
      const still = run([connected(undefined, true)], {}, more.machine)
      expect(short(still.effects)).toEqual(['connect first resuming after 300'])
      const empty = run([connected({ interval: 0 })], {}, still.machine)
      expect(short(empty.effects)).toEqual(['live', 'resubscribe', 'connect'])
    }
    // A refused connect that waits to be tried again is not sent any sooner.
    expect(short(run([fault('refused', 'connect'), refresh], {}, at('connected')).effects)).toEqual([
      'endFeeds',
      'connect first resuming after 1000',
    ])
    for (const other of ['idle', 'authenticating', 'handshaking', 'waiting', 'stopped', 'failed'] as const)
      expect(run([refresh], {}, at(other)).effects).toEqual([])
    // Otherwise events are no reason to wait.
    expect(short(run([connected(undefined, true)], {}, at('connecting')).effects)).toEqual(['live', 'connect'])
    expect(short(run([connected(undefined, true)], {}, at('connected')).effects)).toEqual(['connect'])
  })

  it('a queue that does not empty in ten replies is left behind with its session', () => {
    let { machine } = run([refresh], {}, at('connected'))
    for (let reply = 1; reply <= 10; reply++) {
      const more = run([connected(undefined, true)], {}, machine)
      expect(short(more.effects), `reply ${reply}`).toEqual(['connect first resuming'])
      machine = more.machine
    }
    expect(short(run([connected(undefined, true)], {}, machine).effects)).toEqual(['endSession', 'rehandshake', 'handshaking', 'handshake'])
    // Counted anew each time.
    const empty = run([connected(), refresh, connected(undefined, true)], {}, machine)
    expect(short(empty.effects)).toEqual(['connect first resuming'])
  })

  it('polls answered at once with nothing are no progress, and after ten of them pauses of our own begin [PROTOCOL C9]', () => {
    let { machine } = run([fault('unknown-client', 'connect'), handshaken, connected()], {}, at('connected'))
    const waits: number[] = []
    for (let poll = 1; poll <= 20; poll++) {
      const step = transition(machine, connected(), 0, 1, options())
      machine = { ...step.machine, memory: { ...step.machine.memory, pollAt: 0 } }
      for (const effect of step.effects) if (effect.type === 'connect') waits.push(effect.afterMs)
      expect(short(step.effects).includes('slowed'), `poll ${poll}`).toBe(poll === 11)
    }
    expect(waits).toEqual([...Array(10).fill(0), 500, 1_000, 2_000, 4_000, 8_000, ...Array(5).fill(10_000)])
    expect(machine.memory.sessionLosses).toBe(1)
    // An event, a hold of a second, or a pause that the org asked for ends it.
    for (const [input, now] of [
      [connected(undefined, true), 0],
      [connected(), 1_000],
      [connected({ interval: 1_000 }), 0],
    ] as const) {
      const { machine: after } = transition(machine, input, now, 1, options())
      expect(after.memory).toMatchObject({ hasty: 0, sessionLosses: 0 })
    }
  })

  it('letting out is no progress: sessions lost meanwhile are remade with growing delays', () => {
    const lostTwice = run([fault('unknown-client', 'connect'), handshaken, refresh, connected(undefined, true)], {}, at('connected'))
    expect(short(run([fault('unknown-client', 'connect')], {}, lostTwice.machine).effects)).toContain('wait 1000')
  })

  it('after a wait longer than the session lives, a handshake is made instead of a connect', () => {
    const { machine } = run([connected({ maxInterval: 40_000, timeout: 110_000 }), fault('transient', 'connect')], {}, at('connecting'))
    expect(short(transition(machine, timer, 150_000, 1, options()).effects)).toEqual(['connect first resuming'])
    expect(short(transition(machine, timer, 150_001, 1, options()).effects)).toEqual(lost)
  })

  it('reconnect: false fails where a session would be made anew', () => {
    for (const input of [
      fault('unknown-client', 'connect'),
      { type: 'lost', reason: 'the org closed the session' } as Input,
      connected({ reconnect: 'handshake' }),
    ]) {
      const { machine, effects } = transition(at('connected'), input, 0, 1, options({ reconnect: false }))
      expect(short(effects)).toEqual(failed)
      expect(machine.phase).toMatchObject({ tag: 'failed', error: { name: 'HandshakeError', code: 'session_lost' } })
    }
  })

  it('limits: fail fails, wait doubles from a minute to an hour', () => {
    expect(short(transition(at('handshaking'), fault('client-limit', 'handshake'), 0, 1, options({ limits: 'fail' })).effects)).toEqual(
      failed,
    )
    let machine = at('handshaking')
    const waits: string[] = []
    for (let round = 0; round < 9; round++) {
      const limited = transition(machine, fault('client-limit', 'handshake'), 0, 1, options())
      waits.push(short(limited.effects).at(-1)!)
      machine = run([timer], {}, limited.machine).machine
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((minutes) => `wait ${minutes * 60_000}`))
    expect(short(transition(at('handshaking'), fault('client-limit', 'handshake'), 0, 0, options()).effects)).toContain('wait 30000')
  })

  it('sessions lost again and again are remade with growing delays, then with clean cookies', () => {
    const waits: string[][] = []
    let machine = at('connecting')
    for (let round = 0; round < 5; round++) {
      const gone = transition(machine, fault('unknown-client', 'connect'), 0, 1, options())
      const next = gone.machine.phase.tag === 'waiting' ? transition(gone.machine, timer, 0, 1, options()) : gone
      waits.push([short(gone.effects).find((effect) => effect.startsWith('wait ')) ?? 'at once', short(next.effects).at(-1)!])
      machine = run([handshaken], {}, next.machine).machine
    }
    expect(waits).toEqual([
      ['at once', 'handshake'],
      ['wait 1000', 'handshake'],
      ['wait 2000', 'handshake clean'],
      ['wait 4000', 'handshake clean'],
      ['wait 8000', 'handshake clean'],
    ])
  })

  it.each([
    ['maxAttempts', { maxAttempts: 3 }, 0],
    ['maxElapsedMs', { maxElapsedMs: 2_000 }, 1_000],
  ])('%s ends it', (_, bound, perRound) => {
    const retry = { connect: { ...policy, ...bound }, handshake: policy, auth: policy }
    let machine = at('connected')
    const effects: string[] = []
    for (let round = 0; round < 3; round++) {
      const result = transition(machine, fault('refused', 'connect'), round * perRound, 1, options({ retry }))
      effects.push(short(result.effects).at(-1)!)
      machine = run([timer], { retry }, result.machine, round * perRound).machine
    }
    expect(effects).toEqual(['wait 1000', 'wait 2000', 'failed'])
    const once = options({ retry: { connect: policy, handshake: { ...policy, maxAttempts: 1 }, auth: policy } })
    const twice = transition(
      run([fault('unknown-client', 'connect'), handshaken], {}, at('connected')).machine,
      fault('unknown-client', 'connect'),
      0,
      1,
      once,
    )
    expect(twice.machine.phase.tag).toBe('failed')
  })
})

describe('transition: advice', () => {
  const adviceAfter = (inputs: Input[], more: Partial<MachineOptions> = {}): unknown =>
    run(inputs, more, at('connecting')).machine.memory.advice
  it.each<[string, Input[], unknown]>([
    [
      'merges field by field',
      [connected({ timeout: 110_000 }), connected({ interval: 5 })],
      { intervalMs: 5, timeoutMs: 110_000, maxIntervalMs: undefined },
    ],
    [
      'ignores what is no number',
      [connected({ timeout: '2000' as never, interval: Number.NaN })],
      { intervalMs: 0, timeoutMs: undefined, maxIntervalMs: undefined },
    ],
    [
      'prefers what is said for long polling',
      [connected({ timeout: 1, 'long-polling': { timeout: 2 } })],
      { intervalMs: 0, timeoutMs: 2, maxIntervalMs: undefined },
    ],
    [
      'takes it from any message',
      [{ type: 'advised', advice: { maxInterval: 9 } }],
      { intervalMs: 0, timeoutMs: undefined, maxIntervalMs: 9 },
    ],
  ])('%s', (_, inputs, expected) => {
    expect(adviceAfter(inputs)).toEqual(expected)
  })

  it.each<[string, Advice, unknown]>([
    ['interval', { interval: 2_000 }, { intervalMs: 2_000, timeoutMs: undefined, maxIntervalMs: undefined }],
    ['timeout', { timeout: 3_000 }, { intervalMs: 0, timeoutMs: 3_000, maxIntervalMs: undefined }],
    ['maxInterval', { maxInterval: 4_000 }, { intervalMs: 0, timeoutMs: undefined, maxIntervalMs: 4_000 }],
  ])('a handshake makes %s void, but for its own', (_, given, held) => {
    const before = run([connected(given)], {}, at('connecting')).machine
    expect(before.memory.advice).toEqual(held)
    const { machine } = run([fault('unknown-client', 'connect')], {}, before)
    const shaken = run([handshaken], {}, machine)
    expect(shaken.machine.memory.advice).toEqual({ intervalMs: 0, timeoutMs: undefined, maxIntervalMs: undefined })
    expect(short(shaken.effects)).toEqual(['resubscribe', 'connect first'])
    expect(short(run([connected()], {}, shaken.machine).effects)).toEqual(['live', 'connect'])
    const own = run([{ type: 'handshaken', advice: { ...given, reconnect: 'handshake' } }], {}, machine)
    expect(own.machine.memory.advice).toEqual(held)
  })

  it('a session made anew is not taken for expired by what the last one advised', () => {
    const inputs = [connected({ maxInterval: 40_000, timeout: 110_000 }), fault('unknown-client', 'connect'), handshaken, connected()]
    const { machine } = run([...inputs, fault('transient', 'connect')], {}, at('connecting'))
    expect(short(transition(machine, timer, 3_600_000, 1, options()).effects)).toEqual(['connect first resuming'])
  })

  describe('no server silences a client for longer than an hour', () => {
    const hour = 3_600_000
    it.each([hour + 1, 1e12, Number.MAX_VALUE])('an interval of %s', (interval) => {
      for (const tag of ['connecting', 'connected'] as const) {
        const told = run([connected({ interval })], {}, at(tag))
        expect(short(told.effects).at(-1)).toBe(`connect after ${hour}`)
        expect(told.effects[0]).toEqual({ type: 'report', status: { type: 'slowed', intervalMs: hour } })
      }
      expect(run([{ type: 'advised', advice: { interval } }], {}, at('connected')).effects).toEqual([
        { type: 'report', status: { type: 'slowed', intervalMs: hour } },
      ])
      for (const [kind, step, reconnect] of [
        ['unknown-client', 'connect', 'handshake'],
        ['refused', 'connect', 'handshake'],
        ['refused', 'handshake', 'handshake'],
        ['refused', 'connect', 'retry'],
        ['busy', 'handshake', 'retry'],
      ] as const) {
        const { effects } = transition(at(where(step)), fault(kind, step, { advice: { reconnect, interval } }), 0, 1, options())
        expect(short(effects), `${kind} on ${step}`).toContain(`wait ${hour}`)
        expect(effects, `${kind} on ${step}`).toContainEqual({ type: 'report', status: expect.objectContaining({ delayMs: hour }) })
      }
    })

    it.each([hour + 1, 1e12, Number.POSITIVE_INFINITY])('a Retry-After of %s ms', (retryAfterMs) => {
      for (const [kind, step] of [
        ['transient', 'connect'],
        ['transient', 'handshake'],
        ['transient', 'auth'],
        ['busy', 'handshake'],
        ['refused', 'connect'],
      ] as const) {
        const { effects } = transition(at(where(step)), fault(kind, step, { retryAfterMs }), 0, 1, options())
        expect(short(effects), `${kind} on ${step}`).toContain(`wait ${hour}`)
        expect(effects).toContainEqual({ type: 'report', status: expect.objectContaining({ type: 'retry', delayMs: hour }) })
      }
    })

    it('an interval that stays is told once, one that changes again', () => {
      const told = (interval: number, from: Machine): string[] => short(run([connected({ interval })], {}, from).effects)
      const slowed = run([connected({ interval: 5_000 })], {}, at('connecting')).machine
      expect(told(5_000, slowed)).not.toContain('slowed')
      expect(told(6_000, slowed)).toContain('slowed')
      expect(told(0, slowed)).not.toContain('slowed')
    })

    it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '9', null, {}, [9]])('%j is no interval', (interval) => {
      const advice = { interval: interval as never }
      expect(short(run([connected(advice)], {}, at('connected')).effects)).toEqual(['connect'])
      expect(short(run([fault('refused', 'connect', { advice })], {}, at('connected')).effects)).toEqual(again())
    })
  })

  it.each(['text', 7, true, null, ['a']])('%j in place of advice for long polling is ignored', (own) => {
    const advice = { timeout: 1, 'long-polling': own } as Advice
    expect(adviceAfter([connected(advice)])).toEqual({ intervalMs: 0, timeoutMs: 1, maxIntervalMs: undefined })
  })

  it('a long text there is not taken apart', { timeout: 1_000 }, () => {
    const advice: Advice = { timeout: 1, 'long-polling': 'x'.repeat(8_000_000) }
    expect(adviceAfter([connected(advice)])).toMatchObject({ timeoutMs: 1 })
  })

  it('followAdvice: false ignores interval and timeout, never reconnect', () => {
    const ignoring = { followAdvice: false }
    expect(adviceAfter([connected({ timeout: 1, interval: 2_000 })], ignoring)).toMatchObject({ intervalMs: 0, timeoutMs: undefined })
    expect(short(run([connected({ reconnect: 'handshake' })], ignoring, at('connected')).effects)).toEqual(lost)
    expect(short(run([fault('unknown-client', 'connect', { advice: { interval: 9_000 } })], ignoring, at('connected')).effects)).toEqual(
      lost,
    )
  })
})
