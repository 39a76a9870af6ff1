import { type VirtualClock, virtualClock } from '@sfstream/mock-org'
import {
  type BayeuxMessage,
  type ReplayPosition,
  type ReplayStore,
  SfStreamError,
  type StreamEvent,
  type StreamingClient,
  type SubscribeOptions,
  type Subscription,
} from '../../src/index.ts'
import type { OpenedFeed, ScriptedSource } from './scripted-source.ts'

export const channels = ['/event/A__e', '/data/BChangeEvent']
export type Pick = (below: number) => number

/** What may be turned on; a failing run is looked at with less of it. */
export interface Kinds {
  moves: boolean
  nameless: boolean
  twice: boolean
}

export interface Entry {
  readonly id: number
  /** Its place in the log, from 0. */
  readonly at: number
  readonly message: BayeuxMessage
  /** Handled to the end by who keeps the position; or nobody is owed it. */
  finished: boolean
  /** It has no identity: whoever subscribes again may get it again. */
  nameless: boolean
  sent: boolean
}

/** One process. */
export interface Run {
  readonly number: number
  readonly client: StreamingClient
  readonly source: ScriptedSource
  readonly orgOf: Map<OpenedFeed, string>
  readonly readers: Reader[]
  readonly owed: Set<string>
  timers: number
  handlers: number
  saving: number
  dead: boolean
  merged: number
  readonly manual: boolean
}

/** One subscription, and what it was handed. */
export interface Reader {
  readonly name: string
  readonly run: Run
  readonly channel: string
  readonly subscription: Subscription
  readonly keeper: boolean
  readonly replay: SubscribeOptions['replay']
  readonly marks: number
  readonly abort: AbortController
  style: string
  ordered: boolean
  last: Entry | undefined
  /** What it was handed, or skips. */
  readonly had: Set<number>
  /** What comes again is not of our making. */
  excused: boolean
}

export class ByUser extends Error {}

export interface World {
  readonly clock: VirtualClock
  readonly violations: string[]
  /** The org that tokens belong to, how far the machine's clock is off, and whether nothing is to go wrong any more. */
  readonly state: { org: string; sleptMs: number; calm: boolean }
  violate(what: string): void
  trace(line: string): void
  pick: Pick
  oneOf<T>(values: readonly T[]): T
  wait(ms: number): Promise<void>
  logOf(org: string, channel: string): Entry[]
  entryOf(event: StreamEvent): Entry
  publish(channel: string): void
  /** The place of the event after the last one of that id. */
  after(log: readonly Entry[], position: unknown): number
  /** Nobody asked for these. */
  waive(org: string, channel: string, before: number): void
  storeOf(run: () => Run, troubles: number): ReplayStore
  /** A process may be killed here: what it does from now on is of no effect. */
  maybeCrash(run: Run): void
  /** Settles, with nothing but a coded error or what a user made of it. */
  owe<T>(run: Run, what: string, work: Promise<T>): Promise<T>
}

/** Orgs, and one store for all processes: it takes no position that passes what is not finished. */
export function crashWorld(pick: Pick, kinds: Kinds, trace: (line: string) => void): World {
  const clock = virtualClock()
  const state = { org: 'A', sleptMs: 0, calm: false }
  const violations: string[] = []
  const violate = (what: string): void => {
    trace(`VIOLATION ${what}`)
    violations.push(what)
  }
  const wait = (ms: number): Promise<void> => (ms > 0 ? new Promise((then) => void clock.delay(then, ms)) : Promise.resolve())
  const oneOf = <T>(values: readonly T[]): T => values[pick(Math.max(1, values.length))] as T

  // --- the orgs ---------------------------------------------------------------------------------------------------

  const logs = new Map<string, Entry[]>()
  const logOf = (org: string, channel: string): Entry[] => {
    const key = `${org} ${channel}`
    if (!logs.has(key)) logs.set(key, [])
    return logs.get(key) as Entry[]
  }
  const entryOf = ({ payload, channel }: StreamEvent): Entry => {
    const { org, at } = payload as { org: string; at: number }
    return logOf(org, channel)[at] as Entry
  }
  const publish = (channel: string): void => {
    const { org } = state
    const log = logOf(org, channel)
    const last = log.filter(({ id }) => id >= 0).at(-1)
    const shares = last && last === log.at(-1) && !last.sent && pick(4) === 0
    const at = log.length
    const without = kinds.nameless && !shares && pick(8) === 0
    const id = without ? -1 : shares ? last.id : (last?.id ?? 0) + 1
    const nameless = without && pick(2) === 0
    const header = channel.startsWith('/data/') && !without ? { ChangeEventHeader: { recordIds: [`r${at}`] } } : {}
    const event = {
      ...(!without && { replayId: id }),
      ...(!nameless && (without || channel.startsWith('/event/')) && { EventUuid: `${org} ${channel} ${at}` }),
      createdDate: new Date(clock.now()).toISOString(),
    }
    log.push({ id, at, message: { channel, data: { payload: { ...header, org, at }, event } }, finished: false, nameless, sent: false })
  }
  const after = (log: readonly Entry[], position: unknown): number =>
    position === 'all' ? 0 : log.map(({ id }) => id).lastIndexOf(Number(position)) + 1

  const waive = (of: string, channel: string, before: number): void => {
    for (const entry of logOf(of, channel).slice(0, before)) entry.finished = true
  }

  let crashes = 0
  const maybeCrash = (run: Run): void => {
    if (run.dead || state.calm || crashes >= 4 || pick(60) > 0) return
    crashes++
    run.dead = true
    trace(`run ${run.number} crashes`)
  }
  // --- one store for all ------------------------------------------------------------------------------------------

  const positions = new Map<string, ReplayPosition>()
  const land = (run: Run, key: { org: string; channel: string }, position: ReplayPosition): void => {
    const log = logOf(key.org.slice(-1), key.channel)
    const passed = log.slice(0, after(log, position.replayId)).filter(({ finished }) => !finished)
    trace(`run ${run.number} stores ${key.org.slice(-1)} ${key.channel} ${position.replayId}`)
    if (passed.length > 0)
      violate(`position ${position.replayId} of ${key.org.slice(-1)} ${key.channel} passes ${passed.map(({ at }) => at)}`)
    positions.set(`${key.org} ${key.channel}`, position)
  }
  const saved = async (run: Run, key: { org: string; channel: string }, position: ReplayPosition, storeTrouble: number): Promise<void> => {
    maybeCrash(run)
    if (run.dead && pick(2) === 0) return
    if (pick(12) < storeTrouble) {
      const how = pick(10)
      if (how < 4) throw new Error('the disk is full')
      if (how < 5) await wait(12_000 + pick(60_000))
      else await wait(pick(300))
      // A crash while it is written: it may have landed.
      if (run.dead && pick(2) === 0) return
    }
    land(run, key, position)
    maybeCrash(run)
  }
  const storeOf = (get: () => Run, storeTrouble: number): ReplayStore => ({
    ...(pick(3) === 0 && { commitEveryMs: 500 }),
    async load(key) {
      maybeCrash(get())
      if (pick(4) === 0) await wait(pick(400))
      maybeCrash(get())
      return positions.get(`${key.org} ${key.channel}`) ?? 'all'
    },
    async save(key, position) {
      const run = get()
      if (run.dead) return
      run.saving++
      try {
        await saved(run, key, position, storeTrouble)
      } finally {
        run.saving--
      }
    },
  })
  const owe = <T>(run: Run, what: string, work: Promise<T>): Promise<T> => {
    const key = `${what} #${run.owed.size}`
    run.owed.add(key)
    const settled = (): void => void run.owed.delete(key)
    work.then(settled, (error: unknown) => {
      settled()
      if (!(error instanceof ByUser || error instanceof SfStreamError)) violate(`${what} rejected with ${String(error)}`)
    })
    return work
  }

  return { clock, violations, state, violate, trace, pick, oneOf, wait, logOf, entryOf, publish, after, waive, storeOf, maybeCrash, owe }
}
