import type { ClientName, Sfstream } from '../clients/client-names.ts'

interface Common {
  client: ClientName
  url: string
}

/** Takes events as fast as they come, for a while. */
export interface StreamJob extends Common {
  task: 'stream'
  batch: number
  /** Busy work with each event, in microseconds. */
  workUs: number
  warmMs: number
  runMs: number
}

/** Notes how old each event is when it comes. */
export interface LatencyJob extends Common {
  task: 'latency'
  /** Events, those of the warm-up at the beginning included. */
  count: number
  warm: number
}

/** Holds many idle clients, or many bare requests. */
export interface HeapJob extends Common {
  task: 'heap'
  clients: number
}

/** Works a replayed backlog off, more slowly than it comes. */
export interface BacklogJob extends Common {
  task: 'backlog'
  client: Sfstream
  events: number
  batch: number
  workUs: number
  /** Half way the consumer stands still for this long. */
  stallMs: number
}

/** Takes events until it is told to tell when they came. */
export interface RecoveryJob extends Common {
  task: 'recovery'
}

/** Takes a known number of events, by many channels or many clients. */
export interface GrowthJob extends Common {
  task: 'growth'
  client: Sfstream
  clients: number
  channels: readonly string[]
  /** For each client. */
  events: number
}

export type Job = StreamJob | LatencyJob | HeapJob | BacklogJob | RecoveryJob | GrowthJob

export interface StreamResult {
  events: number
  ms: number
  cpuUs: number
}

export interface LatencyResult {
  latenciesMs: number[]
}

export interface HeapResult {
  /** Each, in bytes. */
  heap: number
  /** Buffers outside of the heap. */
  external: number
  rss: number
}

export interface BacklogResult {
  ms: number
  /** In bytes, above what the process holds once its client has stopped; after a collection, by events taken. */
  live: [events: number, bytes: number][]
  /** The most that was in use, garbage included. */
  peak: number
  /** What the buffers may hold: `maxBuffered` events and one reply. */
  bound: number
  outOfOrder: number
}

export interface RecoveryResult {
  arrivalsMs: number[]
}

export interface GrowthResult {
  /** Until every subscription was accepted. */
  readyMs: number
  /** From when the server was let go until every event was taken. */
  runMs: number
  /** After a collection, above what the process held before its clients; in bytes. */
  heap: number
}

export interface JobResults {
  stream: StreamResult
  latency: LatencyResult
  heap: HeapResult
  backlog: BacklogResult
  recovery: RecoveryResult
  growth: GrowthResult
}

export type ToldByClient<Result> = { kind: 'ready' | 'began' } | { kind: 'result'; result: Result } | { kind: 'error'; text: string }

/** What a task has of its parent. */
export interface Parent {
  tell(kind: 'ready' | 'began'): void
  /** Resolves when the parent says so. */
  go: Promise<void>
}
