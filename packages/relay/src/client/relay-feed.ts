import type { Batch, BayeuxMessage, Feed, OpenRequest } from '@sfstream/core'
import { type Deferred, deferred, type Queue, queue } from '@sfstream/core/internal'
import { type CursorPosition, channelPart, formatPosition, parsePosition } from '../cursor.ts'

/** One open channel of a relay-fed client. */
export interface RelayFeed {
  readonly feed: Feed
  readonly request: OpenRequest
  readonly accepted: Deferred<boolean>
  readonly batches: Queue<Batch>
  /** Its part of the cursor. */
  readonly part: string
  position: CursorPosition
  /** The relay has yet to begin a replay for it. */
  waiting: boolean
  /** Takes its position from a cursor. */
  reposition(cursor: string): void
  /** An event, and the cursor that came with it. */
  receive(message: BayeuxMessage, cursor: string | undefined, bytes: number): void
  /** What came before may come again. */
  repeat(): void
  /** Hands on what is whole. */
  flush(): void
  /** The stream is lost: what is not whole comes again. */
  interrupt(): void
  end(error?: unknown): void
}

/** Of one replay id; the org has no such thing. */
const maxSiblings = 10_000

export function relayFeed(request: OpenRequest, taken: () => void): RelayFeed {
  const accepted = deferred<boolean>()
  const batches = queue<Batch>({ taken })
  const marker = channelPart(request.channel)
  let messages: BayeuxMessage[] = []
  let bytes = 0
  let repeats = false
  /** How many of `messages` are followed by a position. */
  let whole = 0

  const positionIn = (cursor: string): CursorPosition | undefined => {
    const at = cursor.indexOf(marker)
    if (at < 0) return undefined
    const start = at + marker.length
    const end = cursor.indexOf('~', start)
    return parsePosition(end < 0 ? cursor.slice(start) : cursor.slice(start, end))
  }

  return {
    feed: { accepted: accepted.promise, batches },
    request,
    accepted,
    batches,
    get part() {
      return marker + formatPosition(this.position)
    },
    position: request.position,
    waiting: false,
    reposition(cursor) {
      this.position = positionIn(cursor) ?? this.position
    },
    receive(message, cursor, size) {
      messages.push(message)
      bytes += size
      const position = cursor === undefined ? undefined : positionIn(cursor)
      if (position !== undefined) this.position = position
      if (position !== undefined || messages.length - whole > maxSiblings) whole = messages.length
    },
    repeat() {
      this.flush()
      repeats = true
    },
    flush() {
      if (whole === 0) return
      const bytesEach = bytes / messages.length
      const ready = whole === messages.length ? messages : messages.slice(0, whole)
      messages = messages.slice(whole)
      bytes = bytesEach * messages.length
      whole = 0
      batches.push({ messages: ready, bytesEach, complete: true, ...(repeats ? { repeats } : {}) })
      repeats = false
    },
    interrupt() {
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
