import type { SfStreamError } from '../errors.ts'

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
  | { type: 'multipleClients'; intervalMs: number }
  /** An org limit was met; tried again after `delayMs`. */
  | { type: 'limit'; error: SfStreamError; delayMs: number; channel?: string }
  /** A message that is neither a reply nor an event. Events of channels that nobody holds open are dropped without a word: they follow every unsubscribe. */
  | { type: 'badMessage'; reason: string; message?: unknown }
