import type { AuthProvider, OrgSession, StreamingClient, Subscription } from '@sfstream/core'
import { AuthenticationError, createClient } from '@sfstream/core'
import { createMockOrg, type Limits, type MockOrg, type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { consumers, type Moods, moods } from './consumer.ts'
import { type FlakyStore, flakyStore } from './flaky-store.ts'
import { type History, history } from './history.ts'
import { invariants } from './invariants.ts'
import { type Network, network } from './network.ts'
import { perform } from './perform.ts'
import type { Plan } from './plan.ts'
import { random } from './random.ts'
import { type VirtualProcess, virtualProcess } from './virtual-process.ts'

/** What became of a run. */
export interface Outcome {
  violations: readonly string[]
  /** Simulated. */
  tookMs: number
  /** What happened, line by line; empty unless asked for. */
  lines: readonly string[]
  published: number
  handshakes: number
  requests: number
  /** The same for the same plan. */
  digest: string
}

/** A program with its client, as long as it lives. */
export interface Program {
  readonly process: VirtualProcess
  readonly client: StreamingClient
  readonly done: Promise<unknown>
  readonly subscriptions: ReadonlyMap<string, Subscription>
}

export interface World {
  readonly plan: Plan
  readonly clock: VirtualClock
  readonly org: MockOrg
  readonly network: Network
  readonly store: FlakyStore
  readonly moods: Moods
  readonly history: History
  /** The one program that runs; the last one, while none does. */
  readonly program: Program
  readonly programs: number
  /** Logins that failed or succeeded. */
  readonly logins: number
  loginDown: boolean
  /** The org's limits when all is well. */
  readonly limits: Limits
  /** Stops the program in good order and starts another. */
  restart(): Promise<void>
  /** What a killed program's successor waits before it starts. */
  downMs: number
  /** Undone in the end, or after a while. */
  after(ms: number, undo: () => void): void
  heal(): void
}

export async function simulate(plan: Plan, options: { trace?: boolean } = {}): Promise<Outcome> {
  const { settings, seed } = plan
  const clock = virtualClock({ seed })
  const startedAt = clock.now()
  const org = createMockOrg({
    clock,
    seed,
    switches: settings.switches,
    ...(settings.largeIds ? { replayIds: { start: 9_007_199_254_740_993n } } : {}),
    memory: { events: 100_000, requests: 100, deliveries: 100_000 },
  })
  const past = history({
    clock,
    org: () => org,
    names: settings.channels.map(({ channel }) => channel),
    tracing: options.trace ?? false,
    strangers: settings.scenario !== undefined,
  })
  const store = flakyStore({
    clock,
    random: random(seed, 2),
    history: past,
    latencyMs: settings.storeLatencyMs,
    commitEveryMs: settings.commitEveryMs,
  })
  const net = network({ clock, org, history: past, random: random(seed, 3), latencyMs: settings.latencyMs })
  const feelings = moods()
  const normal = { ...org.switches }
  const undos = new Set<() => void>()
  const state = { programs: 0, logins: 0, ended: false, well: false }
  const stopHealing = new Set<() => void>()

  const auth = (process: VirtualProcess): AuthProvider => {
    let session: OrgSession | undefined
    let madeWell = false
    return {
      async getSession({ rejected }) {
        // Whoever mends a login takes a new token.
        if (session && session.accessToken !== rejected?.accessToken && madeWell === state.well) return session
        if (!process.touch()) return new Promise(() => {})
        state.logins++
        if (settings.latencyMs > 0) await process.pause(random(seed, 100 + state.logins).below(settings.latencyMs))
        if (world.loginDown) {
          throw new AuthenticationError({
            code: 'login_unavailable',
            message: 'The login host answered 503.',
            remediation: 'Try again later.',
            retryable: true,
          })
        }
        session = org.session()
        madeWell = state.well
        past.tokens.add(session.accessToken)
        return session
      },
    }
  }

  const start = (): Program => {
    const number = ++state.programs
    past.trace(() => `#${number} starts`)
    const process = virtualProcess(number, clock, () => {
      past.trace(() => `#${number} is killed`)
      if (state.ended) return
      clock.delay(() => {
        if (world.program.process === process) world.program = start()
      }, world.downMs)
    })
    const client = createClient({
      auth: auth(process),
      replayStore: store.of(process),
      commit: settings.commit,
      gap: settings.gap,
      replayFallback: settings.replayFallback,
      platform: { fetch: net.fetchOf(process), now: process.now, delay: process.delay, random: clock.random },
    })
    void (async () => {
      for await (const status of client.status()) past.status(process, status)
    })()
    const { done, subscriptions } = consumers({
      process,
      client,
      settings,
      history: past,
      moods: feelings,
      random: random(seed, 1_000 + number),
      failed: (error) => failures.push(error),
    })
    done.catch((error: unknown) => past.violate(`a consumer failed: ${String(error)}`))
    return { process, client, done, subscriptions }
  }

  const failures: unknown[] = []
  const world: World & { program: Program } = {
    plan,
    clock,
    org,
    network: net,
    store,
    moods: feelings,
    history: past,
    program: undefined as unknown as Program,
    get programs() {
      return state.programs
    },
    get logins() {
      return state.logins
    },
    loginDown: false,
    limits: { ...org.limits },
    downMs: 0,
    async restart() {
      const old = world.program
      if (old.process.dead) return
      if (old.process.asleep) return old.process.kill()
      const before = clock.now()
      let stopped = false
      old.client.stop().then(
        () => (stopped = true),
        () => (stopped = true),
      )
      // 2 s for the goodbye; a save under way and the one after it may take 10 s each.
      await clock.runUntil(() => stopped || old.process.dead, 60_000).catch(() => past.violate(`stop() took over a minute`))
      if (!old.process.dead && clock.now() - before > 22_500) past.violate(`stop() took ${clock.now() - before} ms`)
      if (old.process.dead) return
      old.process.kill()
    },
    after(ms, undo) {
      undos.add(undo)
      const cancel = clock.delay(() => {
        stopHealing.delete(cancel)
        undos.delete(undo)
        undo()
      }, ms)
      stopHealing.add(cancel)
    },
    heal() {
      for (const cancel of stopHealing) cancel()
      for (const undo of undos) undo()
      undos.clear()
      org.faults.clear()
      state.well = settings.scenario !== undefined
      // What a scenario has switched or refused for good.
      Object.assign(org.switches, normal)
      Object.assign(org.limits, world.limits)
      for (const { channel } of settings.channels) org.faults.deny(channel)
      store.how = 'well'
      feelings.heal()
      world.loginDown = false
      world.program.process.killAfter(Number.POSITIVE_INFINITY)
    },
  }
  world.program = start()

  const watch = invariants(world, failures)
  try {
    for (const { waitMs, action } of plan.steps) {
      await clock.advance(waitMs)
      past.trace(() => `--- ${JSON.stringify(action)}`)
      await perform(world, action)
      watch.always()
      if (past.violations.length > 0) break
    }
    if (past.violations.length === 0) await watch.afterwards()
  } catch (error) {
    past.violate(error instanceof Error ? `${error.message}` : String(error))
  }
  state.ended = true
  const published = [...past.channels.values()].reduce((sum, { log }) => sum + log.length, 0)
  const handshakes = org.inspect.handshakes
  return {
    violations: past.violations,
    tookMs: clock.now() - startedAt,
    lines: past.lines,
    published,
    handshakes,
    requests: past.requests.length,
    digest: [
      clock.now(),
      published,
      handshakes,
      past.requests.length,
      JSON.stringify(past.statuses),
      JSON.stringify(org.inspect.deliveries),
    ].join(' '),
  }
}
