import { type Deferred, deferred } from '../../async/deferred.ts'
import { type Queue, queue } from '../../async/queue.ts'
import type { Batch, Feed, OpenRequest } from '../../source/source.ts'
import type { Attempts } from '../machine/backoff.ts'
import { noAttempts } from '../machine/backoff.ts'
import type { BayeuxMessage } from '../wire/message.ts'

/** One open channel: what was asked for, how far it got, and where its batches go. */
export interface FeedEntry extends Feed {
  readonly request: OpenRequest
  readonly batches: Queue<Batch>
  /** Settles `accepted`; gone once it has. */
  acceptance: Deferred<boolean> | undefined
  /** `crossed`: what came may have crossed with what else is to come, so nothing more counts until it is asked for again. [PROTOCOL U9] */
  stage: 'wanted' | 'waiting' | 'asking' | 'accepted' | 'crossed' | 'ended'
  /** What came while the subscribe, or another request, was unanswered, in order: its reply and a connect's may cross. [PROTOCOL U6, U9] */
  early: Batch[]
  /** Asked for in a request of its own: one that it shared was not read. */
  alone: boolean
  /** The reply itself brought some. */
  replied: boolean
  attempts: Attempts
  /** Leaves the caller's signal alone. */
  detach: (() => void) | undefined
  cancelRetry: (() => void) | undefined
}

export function feedEntry(request: OpenRequest): FeedEntry {
  const acceptance = deferred<boolean>()
  return {
    request,
    batches: queue(),
    accepted: acceptance.promise,
    acceptance,
    stage: 'wanted',
    early: [],
    alone: false,
    replied: false,
    attempts: noAttempts,
    detach: undefined,
    cancelRetry: undefined,
  }
}

/**
 * Where the events of a subscribe's own reply belong among those that connects brought meanwhile: before them, unless their
 * ids say otherwise. Ids are opaque but for this: of two replies that crossed, nothing else tells which was written first.
 */
export function placeOf(batch: Batch, early: readonly Batch[]): number {
  const at = early.findIndex((other) => !precedes(firstId(other), firstId(batch)))
  return at === -1 ? early.length : at
}

function firstId({ messages }: Batch): string {
  return String(replayIdOf(messages[0]))
}

function replayIdOf(message: BayeuxMessage | undefined): unknown {
  return (message?.data as { event?: { replayId?: unknown } } | undefined)?.event?.replayId
}

/** Whether an event comes again when its channel is subscribed from the one before. */
export function isReplayed(entry: FeedEntry, message: BayeuxMessage | undefined): boolean {
  return entry.request.position !== 'off' && replayIdOf(message) !== undefined
}

/** By the digits: they may be more than a number holds. */
function precedes(id: string, other: string): boolean {
  return /^\d+$/.test(id + other) && (id.length - other.length || (id < other ? -1 : 1)) < 0
}

/** The org holds the channel: what came early goes out. */
export function acceptFeed(entry: FeedEntry): void {
  entry.stage = 'accepted'
  entry.attempts = noAttempts
  entry.acceptance?.resolve(true)
  entry.acceptance = undefined
  for (const batch of entry.early.splice(0)) entry.batches.push(batch)
}

/** Ends a feed: with an error, or so that the layer above opens the channel again. */
export function endFeed(entry: FeedEntry, error?: unknown): void {
  if (entry.stage === 'ended') return
  entry.stage = 'ended'
  entry.early = []
  entry.detach?.()
  entry.cancelRetry?.()
  if (error === undefined) {
    entry.acceptance?.resolve(false)
    entry.batches.finish()
  } else {
    entry.acceptance?.reject(error)
    entry.batches.fail(error)
  }
}
