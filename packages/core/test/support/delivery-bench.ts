import { type VirtualClock, virtualClock } from '@sfstream/mock-org'
import {
  type BayeuxMessage,
  type ClientStatus,
  type CommonOptions,
  createClient,
  type ReplayKey,
  type ReplayPosition,
  type ReplayStore,
  type StreamingClient,
} from '../../src/index.ts'
import { type ScriptedSource, scriptedSource } from './scripted-source.ts'

export const channel = '/event/Order__e'

/** A client over a scripted Source, under virtual time, with its status in a list. */
export interface Bench {
  client: StreamingClient
  source: ScriptedSource
  clock: VirtualClock
  store: RecordingStore
  status: ClientStatus[]
  /** Statuses of one type, as plain data. */
  told<T extends ClientStatus['type']>(type: T): Extract<ClientStatus, { type: T }>[]
}

export function bench(options: Partial<CommonOptions> = {}, shared: { store?: RecordingStore; clock?: VirtualClock } = {}): Bench {
  const clock = shared.clock ?? virtualClock()
  const source = scriptedSource()
  const store = shared.store ?? recordingStore()
  const client = createClient({
    source,
    platform: { now: clock.now, delay: clock.delay, random: clock.random, fetch: () => Promise.reject(new Error('no network here')) },
    replayStore: store,
    ...options,
  })
  const status: ClientStatus[] = []
  void (async () => {
    for await (const each of client.status()) status.push(each)
  })().catch(() => {})
  return {
    client,
    source,
    clock,
    store,
    status,
    told: (type) => status.filter((each) => each.type === type) as never,
  }
}

/** A store that a test can hold up, break and read. */
export interface RecordingStore extends ReplayStore {
  positions: Map<string, ReplayPosition>
  saves: ReplayPosition[]
  loads: ReplayKey[]
  inFlight: number
  maxInFlight: number
  /** Answers saves from now on; undefined saves at once. */
  onSave: ((position: ReplayPosition) => Promise<void>) | undefined
  onLoad: (() => Promise<ReplayPosition | 'all' | 'new' | undefined>) | undefined
  at(key?: Partial<ReplayKey>): ReplayPosition | undefined
}

export function recordingStore(extra: Partial<ReplayStore> = {}): RecordingStore {
  const nameOf = ({ org, channel: name, consumer }: ReplayKey): string => `${org} ${name} ${consumer}`
  const store: RecordingStore = {
    positions: new Map(),
    saves: [],
    loads: [],
    inFlight: 0,
    maxInFlight: 0,
    onSave: undefined,
    onLoad: undefined,
    at: (key = {}) => store.positions.get(nameOf({ org: '00D000000000001', channel, consumer: 'default', ...key })),
    load(key) {
      store.loads.push(key)
      return store.onLoad ? store.onLoad() : Promise.resolve(store.positions.get(nameOf(key)))
    },
    async save(key, position) {
      store.saves.push(position)
      store.maxInFlight = Math.max(store.maxInFlight, ++store.inFlight)
      try {
        await store.onSave?.(position)
        store.positions.set(nameOf(key), position)
      } finally {
        store.inFlight--
      }
    },
    ...extra,
  }
  return store
}

/** Platform event with that id; `extra` joins its payload, `event` its `event` part. */
export function event(
  replayId: number | string,
  extra: Record<string, unknown> = {},
  eventPart: Record<string, unknown> = {},
): BayeuxMessage {
  return { channel, data: { payload: { n: replayId, ...extra }, event: { replayId, ...eventPart } } }
}

export function events(from: number, to: number): BayeuxMessage[] {
  return Array.from({ length: to - from + 1 }, (_, at) => event(from + at))
}

/** A promise's state once everything that can happen now has happened. */
export async function stateOf(clock: VirtualClock, promise: Promise<unknown>): Promise<unknown> {
  let state: unknown = 'pending'
  promise.then(
    (value) => {
      state = { resolved: value }
    },
    (error: unknown) => {
      state = { rejected: error }
    },
  )
  await clock.settle()
  return state
}

/** An AbortSignal whose abort listeners can be counted. */
export function countedSignal(): { controller: AbortController; signal: AbortSignal; readonly listeners: number } {
  const controller = new AbortController()
  const { signal } = controller
  const live = new Set<unknown>()
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = ((type: string, listener: EventListener, options?: AddEventListenerOptions) => {
    live.add(listener)
    add(type, listener, options)
    // Fired once, it is gone by itself.
    if (options?.once) add(type, () => live.delete(listener), { once: true })
  }) as typeof signal.addEventListener
  signal.removeEventListener = ((type: string, listener: EventListener) => {
    live.delete(listener)
    remove(type, listener)
  }) as typeof signal.removeEventListener
  return {
    controller,
    signal,
    get listeners() {
      return live.size
    },
  }
}
