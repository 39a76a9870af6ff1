import type { ClientName } from '../clients/client-names.ts'

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

export type Job = StreamJob | LatencyJob | HeapJob

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

export interface JobResults {
  stream: StreamResult
  latency: LatencyResult
  heap: HeapResult
}

export type ToldByClient<Result> = { kind: 'ready' | 'began' } | { kind: 'result'; result: Result } | { kind: 'error'; text: string }

/** What a task has of its parent. */
export interface Parent {
  tell(kind: 'ready' | 'began'): void
  /** Resolves when the parent says so. */
  go: Promise<void>
}
