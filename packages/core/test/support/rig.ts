import { type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { expect } from 'vitest'
import {
  type BayeuxOptions,
  type ClientStatus,
  type CommonOptions,
  createClient,
  type ReplayKey,
  type ReplayPosition,
  type ReplayStore,
  type StreamEvent,
  type StreamingClient,
} from '../../src/index.ts'
import { type ScriptedOrg, type SeenRequest, scriptedOrg } from './scripted-org.ts'

export interface Rig {
  client: StreamingClient
  org: ScriptedOrg
  clock: VirtualClock
  /** Everything `status()` has said so far. */
  statuses: ClientStatus[]
  /** The statuses of one type. */
  said<T extends ClientStatus['type']>(type: T): Extract<ClientStatus, { type: T }>[]
}

export type RigOptions = Partial<BayeuxOptions> &
  Omit<CommonOptions, 'platform'> & {
    script?: Parameters<typeof scriptedOrg>[1]
    seed?: number
  }

/** One client against one scripted org in virtual time. Afterwards nothing may be left: no timer, no held request. */
export async function withRig(options: RigOptions, body: (rig: Rig) => Promise<void>): Promise<void> {
  const { script, seed, ...clientOptions } = options
  const clock = virtualClock(seed === undefined ? {} : { seed })
  const org = scriptedOrg(clock.now, script)
  const client = createClient({
    auth: org.session,
    platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
    ...clientOptions,
  })
  const statuses: ClientStatus[] = []
  const told = gather(client.status(), statuses)
  try {
    await body({
      client,
      org,
      clock,
      statuses,
      said: (type) => statuses.filter((status): status is Extract<ClientStatus, { type: typeof type }> => status.type === type),
    })
  } finally {
    const stopped = client.stop()
    stopped.catch(() => {})
    await clock.advance(3_000)
    await stopped.catch(() => {})
    await told
  }
  expect({ timers: clock.pending, held: org.held }).toEqual({ timers: 0, held: 0 })
}

/** Collects what an iterator gives; resolves at its end, with the error it rejected with, if any. */
export async function gather<T>(values: AsyncIterable<T>, into: T[]): Promise<unknown> {
  try {
    for await (const value of values) into.push(value)
    return undefined
  } catch (error) {
    return error
  }
}

/** Starts without waiting for it. */
export function begin(client: StreamingClient): void {
  client.start().catch(() => {})
}

export interface Reading<T = unknown> {
  events: StreamEvent<T>[]
  readonly ids: unknown[]
  /** Resolves when the loop has ended, with its error, if any. */
  ended: Promise<unknown>
  readonly over: boolean
}

/** Reads in the background. */
export function read<T = unknown>(values: AsyncIterable<StreamEvent<T>>): Reading<T> {
  const events: StreamEvent<T>[] = []
  let over = false
  const ended = gather(values, events).finally(() => {
    over = true
  })
  return {
    events,
    get ids() {
      return events.map(({ replayId }) => replayId)
    },
    ended,
    get over() {
      return over
    },
  }
}

/** The promise's error; fails the test when there is none. */
export async function errorOf(work: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await work
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  return expect.unreachable('it should have been rejected')
}

/** Answers the n-th request of a kind (from 1) with what stands in its place; others are left to the friendly org. */
export function inTurn(
  what: string,
  answers: readonly (NonNullable<Parameters<typeof scriptedOrg>[1]> | undefined)[],
): NonNullable<Parameters<typeof scriptedOrg>[1]> {
  return (request, org) => (request.what === what ? answers[org.of(what).length - 1]?.(request, org) : undefined)
}

/** The request's own id and channel, refused. */
export function refusal(request: SeenRequest, error: string, extra: Record<string, unknown> = {}): Record<string, unknown> {
  const [message] = request.messages
  return {
    channel: message?.channel,
    id: message?.id,
    successful: false,
    error,
    ...(message?.subscription === undefined ? {} : { subscription: message.subscription }),
    ...extra,
  }
}

export interface SpyStore extends ReplayStore {
  saves: { channel: string; position: ReplayPosition }[]
  positions: Map<string, ReplayPosition | 'all' | 'new'>
  keys: ReplayKey[]
}

/** A store that can be looked into. */
export function spyStore(start: Record<string, ReplayPosition | 'all' | 'new'> = {}): SpyStore {
  const positions = new Map(Object.entries(start))
  const saves: SpyStore['saves'] = []
  const keys: ReplayKey[] = []
  return {
    saves,
    positions,
    keys,
    load(key) {
      keys.push(key)
      return Promise.resolve(positions.get(key.channel))
    },
    save(key, position) {
      saves.push({ channel: key.channel, position })
      positions.set(key.channel, position)
      return Promise.resolve()
    },
  }
}
