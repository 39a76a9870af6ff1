import { type Deferred, deferred } from '../async/deferred.ts'
import { StateError } from '../errors.ts'
import type { ReplayId } from '../events/stream-event.ts'
import { lowWaterMark, type Slot } from './low-water-mark.ts'
import type { PositionWriter } from './position-writer.ts'
import type { ReplayPosition } from './replay-store.ts'

/** What one subscription has received and finished in one org, and the position that follows from it. */
export interface Ledger {
  readonly unfinished: number
  /** The last durable position. */
  readonly saved: ReplayPosition | undefined
  received(replayId: ReplayId | undefined, createdDate: string | undefined): Slot
  replyEnded(openId: ReplayId | undefined): void
  finish(slot: Slot): void
  /** Nothing more is being finished for now. */
  rested(): void
  /**
   * Finishes the event; resolves when it and everything before it are finished and the position that follows is
   * durable. It does not wait for later events of the same id: a loop that awaits it would never come to them.
   * @throws ReplayError `store_failed`; StateError `client_stopped` when it was closed with earlier events unfinished
   */
  commit(slot: Slot): Promise<void>
  /** What is finished becomes durable; commits that can no longer be reached reject. May be called again. */
  close(): Promise<void>
}

export function ledger(channel: string, writer: PositionWriter, eased: () => void): Ledger {
  /** Commits that wait for earlier events. */
  const waiting = new Set<Slot>()
  let due: Deferred<void>[] = []
  let written: ReplayPosition | undefined
  let closed = false
  const beganAt = writer.open()

  const mark = lowWaterMark((slot) => {
    due.push(slot.waiting as Deferred<void>)
    waiting.delete(slot)
  })
  const moved = (): void => {
    const { position } = mark
    let counts = true
    if (position && position !== written) {
      written = position
      counts = writer.write(position, beganAt)
    }
    if (due.length === 0) return
    const callers = due
    due = []
    if (!counts) {
      for (const caller of callers) caller.reject(unreachable())
      return
    }
    writer.flush().then(
      () => {
        for (const caller of callers) caller.resolve()
      },
      (error: unknown) => {
        for (const caller of callers) caller.reject(error)
      },
    )
  }
  const finish = (slot: Slot): void => {
    if (slot.finished) return
    mark.finish(slot)
    moved()
    eased()
  }
  const unreachable = (): StateError =>
    new StateError({
      code: 'client_stopped',
      message: `${channel} was closed before every event ahead of this one was finished, so it could not become a position.`,
      remediation: 'Nothing: the event comes again. Commit every event, in any order, before closing.',
      channel,
    })

  return {
    get unfinished() {
      return mark.unfinished
    },
    get saved() {
      return writer.saved
    },
    received(replayId, createdDate) {
      const slot: Slot = { replayId, createdDate, finished: false, passed: false, waiting: undefined }
      mark.received(slot)
      return slot
    },
    replyEnded(openId) {
      mark.replyEnded(openId)
      moved()
    },
    finish,
    rested: writer.rested,
    commit(slot) {
      finish(slot)
      if (slot.passed) return writer.flush()
      if (closed) return Promise.reject(unreachable())
      slot.waiting ??= deferred()
      waiting.add(slot)
      return slot.waiting.promise
    },
    close() {
      const saved = writer.flush()
      if (!closed) {
        closed = true
        for (const slot of waiting) slot.waiting?.reject(unreachable())
        waiting.clear()
        writer.close()
      }
      return saved
    },
  }
}
