import type { SfStreamError } from '../../errors.ts'
import type { RetryPolicy } from '../../options.ts'
import type { SourceStatus } from '../../source/source-status.ts'
import type { Fault } from '../wire/fault.ts'
import type { Advice } from '../wire/message.ts'
import type { Attempts } from './backoff.ts'

/** What is being done, or waited for, by the name of its retry policy. */
export type Step = 'auth' | 'handshake' | 'connect'

/** Where the session stands. The clientId is kept by who sends with it; what matters here is which replies may come. */
export type Phase =
  | { tag: 'idle' }
  | { tag: 'authenticating' }
  | { tag: 'handshaking' }
  /** The first connect, which the org answers at once, is out. */
  | { tag: 'connecting' }
  /** The first connect is answered: polls are held. */
  | { tag: 'connected' }
  | { tag: 'waiting'; next: Step; delayMs: number }
  | { tag: 'stopped' }
  | { tag: 'failed'; error: SfStreamError }

/** What outlives a phase. Counters fall back to zero on progress only: a poll answered after the first one. */
export interface Memory {
  advice: { intervalMs: number; timeoutMs: number | undefined; maxIntervalMs: number | undefined }
  attempts: Record<Step | 'limit', Attempts>
  /** Why a token was to be replaced, since the last progress. */
  refusal: SfStreamError | undefined
  /** Sessions lost since the last progress. */
  sessionLosses: number
  /** Replies in a row that no Bayeux server would send. */
  badReplies: number
  /** When the org last answered a poll. */
  lastContact: number
  /** When the poll under way was to leave. */
  pollAt: number
  /** Polls in a row that were answered at once with nothing. */
  hasty: number
  /** Replies may have been lost, so what the channels missed is asked for again, once the queue at the org is empty. */
  resuming: boolean
  /** Replies with events from before, since everything was unsubscribed. */
  letOut: number
}

export interface Machine {
  phase: Phase
  memory: Memory
}

/**
 * A session's first connect is answered at once, and so is the one that resumes: unsubscribe everything before it, so that
 * nothing overtakes what is replayed.
 */
export type Turn = 'first' | 'resume' | 'next'

/** What happened. */
export type Input =
  | { type: 'start' }
  | { type: 'authenticated'; replaced: boolean; instanceUrl: string }
  | { type: 'handshaken'; advice: Advice | undefined }
  /** A successful connect reply, with or without events. */
  | { type: 'connected'; advice: Advice | undefined; hadEvents?: boolean }
  /** Advice on some other message. */
  | { type: 'advised'; advice: Advice }
  /** The org has closed the session, by a pushed /meta/disconnect that no failed connect in the same reply explains; or it is of no more use. [PROTOCOL U8] */
  | { type: 'lost'; reason: string }
  | {
      type: 'fault'
      /** By the name of its retry policy, so `subscribe` is whatever goes beside handshake and connect: they share one. */
      step: Step | 'subscribe'
      fault: Fault
      advice?: Advice | undefined
      retryAfterMs?: number | undefined
      retry?: boolean | undefined
    }
  /** A channel is wanted again whose events may still be queued at the org from before. */
  | { type: 'refresh' }
  | { type: 'timer' }
  | { type: 'stop' }

/** What is to be done about it, in order. */
export type Effect =
  /** `refusal`: why the token in hand is of no use. */
  | { type: 'authenticate'; refusal: SfStreamError | undefined }
  | { type: 'handshake'; clearCookies: boolean }
  /** The session is over: replies still on their way are void, feeds end. */
  | { type: 'endSession' }
  /** A reply may have been lost, and events with it: feeds end, the session goes on. */
  | { type: 'endFeeds' }
  /** Subscribe every wanted channel. */
  | { type: 'resubscribe' }
  | { type: 'connect'; turn: Turn; afterMs: number }
  /** Send `timer` after that long. */
  | { type: 'wait'; delayMs: number }
  | { type: 'report'; status: SourceStatus }
  | { type: 'fail'; error: SfStreamError }

export interface MachineOptions {
  retry: Record<Step, RetryPolicy>
  limits: 'wait' | 'fail'
  reconnect: boolean
  followAdvice: boolean
}
