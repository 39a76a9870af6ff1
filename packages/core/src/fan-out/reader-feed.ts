import { deferred } from '../async/deferred.ts'
import { type Queue, queue } from '../async/queue.ts'
import type { BayeuxMessage } from '../bayeux/wire/message.ts'
import { ReplayError } from '../errors.ts'
import type { Batch, Feed, OpenRequest, StartPosition } from '../source/source.ts'
import type { ReplayGapReason } from '../source/source-status.ts'
import type { Mark } from './hub-reader.ts'

/** One open channel of a client that reads from a hub elsewhere: in a relay, or in another tab. */
export interface ReaderFeed {
  readonly feed: Feed
  readonly request: OpenRequest
  readonly batches: Queue<Batch>
  /** After what was received last; where it goes on, whoever serves it then. */
  position: StartPosition | Mark
  /** A replay has yet to begin for it. */
  waiting: boolean
  /** Events flow from here on; after this position, where that is known. */
  accept(position: StartPosition | Mark | undefined): void
  /** An event, and the position after it where that is known. */
  receive(message: BayeuxMessage, position: StartPosition | Mark | undefined, bytes: number): void
  /** What came before may come again. */
  repeat(): void
  /** Hands on what is whole. */
  flush(): void
  /** Hands on what is whole, for the position is past it; what is not comes again. */
  interrupt(): void
  end(error?: unknown): void
}

/** Of one replay id; the org has no such thing. */
const maxSiblings = 10_000

export function readerFeed(request: OpenRequest, taken: () => void): ReaderFeed {
  const accepted = deferred<boolean>()
  const batches = queue<Batch>({ taken })
  let messages: BayeuxMessage[] = []
  let bytes = 0
  let repeats = false
  /** How many of `messages` are followed by a position. */
  let whole = 0

  return {
    feed: { accepted: accepted.promise, batches },
    request,
    batches,
    position: request.position,
    waiting: false,
    accept(position) {
      // All that follows the position comes now, the beginning of a group too that was received before.
      this.interrupt()
      this.waiting = false
      this.position = position ?? this.position
      accepted.resolve(true)
    },
    receive(message, position, size) {
      messages.push(message)
      bytes += size
      this.position = position ?? this.position
      if (position !== undefined || messages.length - whole > maxSiblings) whole = messages.length
    },
    repeat() {
      this.flush()
      repeats = true
    },
    flush() {
      if (whole === 0) return
      const bytesEach = bytes / messages.length
      bytes -= bytesEach * whole
      batches.push({ messages: messages.splice(0, whole), bytesEach, complete: true, ...(repeats && { repeats }) })
      whole = 0
      repeats = false
    },
    interrupt() {
      this.flush()
      messages = []
      bytes = 0
      whole = 0
    },
    end(error) {
      this.interrupt()
      if (error === undefined) {
        accepted.resolve(false)
        batches.finish()
      } else {
        accepted.reject(error)
        batches.fail(error)
      }
    },
  }
}

/**
 * How a feed ends whose position could not be honoured, so that the layer above decides what to do. [PROTOCOL L5] A refusal where it
 * began at that very id; else (undefined) the layer above opens the channel again from what it has received, and is told then, or makes
 * good for the want of a position.
 */
export function refusedPosition({ request, position }: ReaderFeed, reason: ReplayGapReason): ReplayError | undefined {
  const { channel, position: from } = request
  if (from === 'new' || from === 'off' || from === 'all' || String(position) !== String(from)) return undefined
  return new ReplayError({
    code: 'replay_refused',
    channel,
    message: `${channel} cannot be resumed from ${from}: ${reason}.`,
    remediation: 'Events may be missing: fetch what you need afresh.',
  })
}
