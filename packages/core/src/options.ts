import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AuthProvider, OrgSession } from './auth-provider.ts'
import type { Transport } from './bayeux/transport/transport.ts'
import type { BayeuxMessage } from './bayeux/wire/message.ts'
import type { ReplayStore } from './delivery/replay-store.ts'
import type { SfStreamError } from './errors.ts'
import type { ReplayId } from './events/stream-event.ts'
import type { Platform } from './platform.ts'
import type { Source } from './source/source.ts'

/** What a retry policy is asked about. */
export type Fault = SfStreamError

/** How one kind of request is tried again. Delays are `min(capMs, baseMs * factor^n)`, drawn with full jitter. */
export interface RetryPolicy {
  baseMs: number
  factor: number
  capMs: number
  /** Attempts in all, the first included; Infinity by default. */
  maxAttempts: number
  /** Gives up when this long has passed since the first failure; Infinity by default. */
  maxElapsedMs: number
  jitter: 'full' | 'none'
  /** Overrides the verdict of the fault table. */
  shouldRetry?(fault: Fault, attempt: number): boolean | Promise<boolean>
}

export type Retry = Partial<RetryPolicy>

export interface RetryOptions {
  connect?: Retry
  handshake?: Retry
  subscribe?: Retry
  auth?: Retry
  /** Org limits: wait with long delays, reported on `status()` (default), or fail. */
  limits?: 'wait' | 'fail'
}

/** Sees, and may change, every message. Returning null drops it. Outgoing extensions run in reverse order of registration. */
export interface Extension {
  incoming?(message: BayeuxMessage): BayeuxMessage | null
  outgoing?(message: BayeuxMessage): BayeuxMessage | null
}

/** What every client takes, whatever its source. */
export interface CommonOptions {
  /** Where positions are kept; null stores nothing. */
  replayStore?: ReplayStore | null
  /** auto (default): an event is finished when the next one is asked for. manual: when `commit()` is called. */
  commit?: 'auto' | 'manual'
  /** When the org refuses a stored position: everything it retains (default), new events only, or fail. Always reported. */
  replayFallback?: 'all' | 'new' | 'fail'
  /** When a session is lost before any position is known: replay all and drop what is older (default), or report the gap. */
  gap?: 'replay' | 'report'
  /** Names the positions, so that several programs can share one store; default 'default'. */
  consumer?: string
  /** Stops the client when aborted. */
  signal?: AbortSignal
  /** Network, clock, randomness. */
  platform?: Partial<Platform>
}

/** What the Bayeux source takes. */
export interface BayeuxOptions {
  auth: AuthProvider | OrgSession | (() => Promise<OrgSession>)
  /** `66.0` by default; `latest` asks the org and takes the greatest. */
  apiVersion?: string | 'latest'
  /** The whole /cometd URL, for a same-origin or proxied endpoint. */
  endpoint?: string | URL
  transport?: Transport
  extensions?: readonly Extension[]
  retry?: RetryOptions
  /** False: a lost session rejects instead of being recovered. */
  reconnect?: boolean
  /** False: `interval` and `timeout` of the server's advice are ignored. */
  followAdvice?: boolean
}

export type ClientOptions = CommonOptions & (BayeuxOptions | { source: Source })

export interface SubscribeOptions<T = unknown> {
  /** Where to begin: the stored position, else new events (default); only new; all retained; after an id; or no replay extension. */
  replay?: 'stored' | 'new' | 'all' | 'off' | ReplayId
  /** Validates payloads; any Standard Schema. */
  schema?: StandardSchemaV1<unknown, T>
  /** throw (default): the iterator rejects and the event is not committed. skip: committed and reported. raw: delivered as it is. */
  onInvalid?: 'throw' | 'skip' | 'raw'
  /** Ends by itself: when nothing is left to replay, or at a bound. */
  until?: 'caught-up' | DrainBounds
  /** Events kept before the channel is paused; 1,000 by default. */
  maxBuffered?: number
  /** The same in bytes of JSON text, as an estimate; 8 MB by default. */
  maxBufferedBytes?: number
  signal?: AbortSignal
}

export interface DrainBounds {
  /** Quiet for this long while a poll is held; 10,000 by default. */
  idleMs?: number
  maxMs?: number
  maxEvents?: number
}
