import type { SfStreamError } from '../errors.ts'
import type { ReplayId } from '../events/stream-event.ts'
import type { StartPosition } from './source.ts'

/** What a Source is doing. `live` is the only state in which events can arrive. */
export type SourceState = 'idle' | 'authenticating' | 'handshaking' | 'live' | 'waiting' | 'stopping' | 'stopped' | 'failed'

/** What a Source reports besides events. */
export type SourceStatus =
  | { type: 'state'; state: SourceState; error?: SfStreamError }
  /** Something failed and will be tried again after `delayMs`. */
  | {
      type: 'retry'
      what: 'connect' | 'handshake' | 'subscribe' | 'auth'
      attempt: number
      delayMs: number
      error: SfStreamError
      channel?: string
    }
  | { type: 'reauthenticated'; instanceUrl: string }
  /** The session was lost; the next handshake leaves after `delayMs`. */
  | { type: 'rehandshake'; reason: string; delayMs: number }
  /** The org asks for this pause before each poll, of an hour at most; events wait for it. */
  | { type: 'slowed'; intervalMs: number }
  /** Events may be missing, or may come again: positions between `from` and `to` could not be honoured. */
  | { type: 'replayGap'; channel: string; reason: ReplayGapReason; from: ReplayId | undefined; to: StartPosition; error?: SfStreamError }
  /** A session that was to be shared is not, for this reason. */
  | { type: 'notShared'; reason: string }
  | { type: 'multipleClients'; intervalMs: number }
  /** An org limit was met; tried again after `delayMs`. */
  | { type: 'limit'; error: SfStreamError; delayMs: number; channel?: string }
  /** A message that is neither a reply nor an event. Events of channels that nobody holds open are dropped without a word: they follow every unsubscribe. */
  | { type: 'badMessage'; reason: string; message?: unknown }

export type ReplayGapReason =
  /** The org refused the position: it is older than the retention, or the org's event bus was reset. */
  | 'position-refused'
  /** The session was lost before any position was known. */
  | 'no-position'
  /** The limit on deliveries stood in the way of a full replay. */
  | 'limit'
  /** The token now belongs to another org. */
  | 'other-org'
  /** The store holds positions of this consumer for other orgs, none for this one. */
  | 'unknown-org'
