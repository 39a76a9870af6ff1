import { type Deferred, deferred } from '../../async/deferred.ts'
import { type Queue, queue } from '../../async/queue.ts'
import type { Batch, Feed, OpenRequest } from '../../source/source.ts'
import type { Attempts } from '../machine/backoff.ts'
import { noAttempts } from '../machine/backoff.ts'

/** One open channel: what was asked for, how far it got, and where its batches go. */
export interface FeedEntry {
  readonly request: OpenRequest
  readonly feed: Feed
  readonly batches: Queue<Batch>
  readonly accepted: Deferred<boolean>
  stage: 'wanted' | 'waiting' | 'asking' | 'accepted' | 'ended'
  /** What connects brought while the subscribe was unanswered: its own reply may bring what comes before. [PROTOCOL U6] */
  early: Batch[]
  /** Lets the next poll go that was kept back for them. */
  release: () => void
  attempts: Attempts
  /** Cancels a pending retry, and the listener on the caller's signal. */
  cleanups: (() => void)[]
}

export function feedEntry(request: OpenRequest): FeedEntry {
  const batches = queue<Batch>()
  const accepted = deferred<boolean>()
  return {
    request,
    batches,
    accepted,
    feed: { accepted: accepted.promise, batches },
    stage: 'wanted',
    early: [],
    release: () => {},
    attempts: noAttempts,
    cleanups: [],
  }
}

/** The org holds the channel: what came early follows what came with the reply. */
export function acceptFeed(entry: FeedEntry): void {
  entry.stage = 'accepted'
  entry.attempts = noAttempts
  entry.accepted.resolve(true)
  for (const batch of entry.early.splice(0)) entry.batches.push(batch)
  entry.release()
}

/** Ends a feed: with an error, or so that the layer above opens the channel again. */
export function endFeed(entry: FeedEntry, error?: unknown): void {
  if (entry.stage === 'ended') return
  entry.stage = 'ended'
  entry.early = []
  entry.release()
  for (const cleanup of entry.cleanups.splice(0)) cleanup()
  if (error === undefined) {
    entry.accepted.resolve(false)
    entry.batches.finish()
  } else {
    entry.accepted.reject(error)
    entry.batches.fail(error)
  }
}
