import { type Deferred, deferred } from '../async/deferred.ts'
import { StateError } from '../errors.ts'
import type { ReplayId } from '../events/stream-event.ts'
import type { PositionWriter, ReachedPosition } from './position-writer.ts'

/** One received event's place in the order of arrival. */
export interface Slot extends ReachedPosition {
  finished: boolean
  /** It is finished, and so is everything before it. */
  passed: boolean
  /** Who waits for that. */
  waiting: Deferred<void> | undefined
  next: Slot | undefined
  readonly ledger: Ledger
}

export interface LedgerOwner {
  readonly channel: string
  /** An event has been finished. */
  eased(): void
}

/**
 * What one subscription has received and finished in one org, and the position that follows: that of the last event before which
 * everything is finished. Events that share an id become a position together. [PROTOCOL D4]
 */
export class Ledger {
  readonly #owner: LedgerOwner
  readonly writer: PositionWriter
  readonly #beganAt: number
  /** Received and not passed: from here on, each knows the next. */
  #head: Slot | undefined
  #newest: Slot | undefined
  #unfinished = 0
  /** More events of this id may come. */
  #openId: ReplayId | undefined
  /** The last one passed that has an id. */
  #reached: Slot | undefined
  #confirmed: Slot | undefined
  #closed = false

  constructor(owner: LedgerOwner, writer: PositionWriter) {
    this.#owner = owner
    this.writer = writer
    this.#beganAt = writer.open()
  }

  /** Received and not passed. */
  get unfinished(): number {
    return this.#unfinished
  }

  received(replayId: ReplayId | undefined, createdDate: string | undefined): Slot {
    // One without an id, amid a group or after a group that may go on, stands between the events of that.
    this.#openId = replayId ?? this.#openId
    const slot: Slot = {
      replayId: this.#openId,
      createdDate,
      finished: false,
      passed: false,
      waiting: undefined,
      next: undefined,
      ledger: this,
    }
    if (this.#head && this.#newest) this.#newest.next = slot
    else this.#head = slot
    this.#newest = slot
    this.#unfinished++
    return slot
  }

  /** The reply is in, so the last id is complete, unless it broke off inside the group of `openId`. */
  replyEnded(openId: ReplayId | undefined): void {
    this.#openId = openId
    if (this.#reached !== this.#confirmed) this.#advance()
  }

  finish(slot: Slot): void {
    if (slot.finished) return
    slot.finished = true
    if (slot === this.#head) this.#advance()
    this.#owner.eased()
  }

  /**
   * Finishes the event; resolves when it and everything before it are finished and the position that follows is
   * durable. It does not wait for later events of the same id: a loop that awaits it would never come to them.
   * @throws ReplayError `store_failed`; StateError `client_stopped` when it was closed with earlier events unfinished
   */
  commit(slot: Slot): Promise<void> {
    this.finish(slot)
    if (slot.passed) return this.writer.flush()
    if (this.#closed) return Promise.reject(this.#unreachable())
    slot.waiting ??= deferred()
    return slot.waiting.promise
  }

  /** What is finished becomes durable; commits that can no longer be reached reject. May be called again. */
  close(): Promise<void> {
    const saved = this.writer.flush()
    if (!this.#closed) {
      this.#closed = true
      for (let slot = this.#head; slot; slot = slot.next) slot.waiting?.reject(this.#unreachable())
      this.writer.close()
    }
    return saved
  }

  #advance(): void {
    const due: Deferred<void>[] = []
    let last = this.#confirmed
    for (let slot = this.#head; slot?.finished; slot = this.#head) {
      this.#head = slot.next
      // Or whoever still holds the oldest would hold all that came later.
      slot.next = undefined
      slot.passed = true
      this.#unfinished--
      if (slot.waiting) due.push(slot.waiting)
      if (slot.replayId === undefined) continue
      // Another id has followed.
      if (this.#reached && this.#reached.replayId !== slot.replayId) last = this.#reached
      this.#reached = slot
    }
    // No more of its id is to come, nor to be finished.
    if (this.#reached && this.#reached.replayId !== (this.#head?.replayId ?? this.#openId)) last = this.#reached
    let counts = true
    if (last && last !== this.#confirmed) {
      this.#confirmed = last
      counts = this.writer.write(last, this.#beganAt)
      // Finished after the end, by a loop over all channels: a writer that nobody uses any more saves only when told to.
      if (this.#closed) this.writer.flush().catch(() => {})
    }
    if (due.length === 0) return
    const durable = counts ? this.writer.flush() : Promise.reject(this.#unreachable())
    for (const { resolve, reject } of due) durable.then(resolve, reject)
  }

  #unreachable(): StateError {
    const { channel } = this.#owner
    return new StateError({
      code: 'client_stopped',
      message: `${channel} was closed before every event ahead of this one was finished, so it could not become a position.`,
      remediation: 'Nothing: the event comes again. Commit every event, in any order, before closing.',
      channel,
    })
  }
}
