import { type Deferred, deferred } from '../../async/deferred.ts'
import { type Queue, queue } from '../../async/queue.ts'
import { isReplayId } from '../../events/replay-id.ts'
import type { Batch, Feed, OpenRequest } from '../../source/source.ts'
import { type Attempts, noAttempts } from '../machine/backoff.ts'
import type { BayeuxMessage } from '../wire/message.ts'

/** Who has opened a feed's channel for its caller. */
export interface FeedOwner {
  /** The caller is done with it. */
  left(entry: FeedEntry): void
}

/**
 * One open channel: what was asked for, how far it got, and where its batches go. It listens to the caller's signal itself: a
 * function for it would be two more objects a channel.
 */
export class FeedEntry implements Feed {
  readonly request: OpenRequest
  readonly accepted: Promise<boolean>
  readonly batches: Queue<Batch> = queue()
  /** `crossed`: what came may have crossed with what else is to come, so nothing more counts until it is asked for again. [PROTOCOL U9] */
  stage: 'wanted' | 'waiting' | 'asking' | 'accepted' | 'crossed' | 'ended' = 'wanted'
  /** What came while the subscribe, or another request, was unanswered, in order: its reply and a connect's may cross. [PROTOCOL U6, U9] */
  early: Batch[] = []
  /** Asked for in a request of its own: one that it shared was not read. */
  alone = false
  /** The reply itself brought some. */
  replied = false
  attempts: Attempts = noAttempts
  cancelRetry: (() => void) | undefined
  readonly #owner: FeedOwner
  /** Settles `accepted`; gone once it has. */
  #acceptance: Deferred<boolean> | undefined

  constructor(request: OpenRequest, owner: FeedOwner) {
    this.request = request
    this.#owner = owner
    const acceptance = deferred<boolean>()
    this.#acceptance = acceptance
    this.accepted = acceptance.promise
  }

  /** The caller's signal has aborted. */
  handleEvent(): void {
    this.#owner.left(this)
  }

  /** The org holds the channel: what came early goes out. */
  accept(): void {
    this.stage = 'accepted'
    this.attempts = noAttempts
    this.#acceptance?.resolve(true)
    this.#acceptance = undefined
    for (const batch of this.early.splice(0)) this.batches.push(batch)
  }

  /** With an error, or so that the layer above opens the channel again. */
  end(error?: unknown): void {
    if (this.stage === 'ended') return
    this.stage = 'ended'
    this.early = []
    this.request.signal.removeEventListener('abort', this)
    this.cancelRetry?.()
    if (error === undefined) {
      this.#acceptance?.resolve(false)
      this.batches.finish()
    } else {
      this.#acceptance?.reject(error)
      this.batches.fail(error)
    }
  }

  /** Whether an event comes again when its channel is subscribed from the one before. */
  replays(message: BayeuxMessage | undefined): boolean {
    return this.request.position !== 'off' && !!replayIdOf(message)
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
  return replayIdOf(messages[0])
}

/** Empty where it has none. */
function replayIdOf(message: BayeuxMessage | undefined): string {
  const id = (message?.data as { event?: { replayId?: unknown } } | undefined)?.event?.replayId
  return isReplayId(id) ? String(id) : ''
}

/** By the digits: they may be more than a number holds. */
function precedes(id: string, other: string): boolean {
  return (id.length - other.length || (id < other ? -1 : 1)) < 0
}
