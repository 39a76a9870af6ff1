import type { ReplayId } from '../events/stream-event.ts'
import type { ReplayPosition } from './replay-store.ts'

/** One received event's place in the order of arrival. */
export interface Slot {
  replayId: ReplayId | undefined
  createdDate: string | undefined
  finished: boolean
  /** A position that covers it has been reached. */
  covered: boolean
  /** Estimated length of its JSON text. */
  bytes: number
}

/**
 * Which position may be stored: that of the last event before which everything is finished. Events that share an id
 * become a position together. [PROTOCOL D4]
 */
export interface LowWaterMark {
  readonly unfinished: number
  readonly position: ReplayPosition | undefined
  received(slot: Slot): void
  /** The reply was cut off: more events of this id may come. Undefined: they have. True when the position moved. */
  leaveOpen(replayId: ReplayId | undefined): boolean
  /** Marks a slot; true when the position moved. */
  finish(slot: Slot): boolean
}

export function lowWaterMark(): LowWaterMark {
  let slots: Slot[] = []
  let head = 0
  let position: ReplayPosition | undefined
  let openId: ReplayId | undefined
  /** Passed, but their id is not complete yet. */
  let group: Slot[] = []

  const advance = (): boolean => {
    let moved = false
    while (head < slots.length && slots[head]?.finished) {
      const slot = slots[head] as Slot
      const next = slots[head + 1]
      const lastOfId = next ? next.replayId !== slot.replayId : slot.replayId !== openId
      // The last of a cut group stays: its position is not complete.
      if (!lastOfId && !next) break
      head++
      group.push(slot)
      if (!lastOfId && slot.replayId !== undefined) continue
      for (const passed of group) passed.covered = true
      group = []
      if (slot.replayId !== undefined) {
        position = slot.createdDate === undefined ? { replayId: slot.replayId } : { replayId: slot.replayId, createdDate: slot.createdDate }
        moved = true
      }
    }
    if (head === slots.length) {
      slots = []
      head = 0
    } else if (head > 1024 && head * 2 > slots.length) {
      slots = slots.slice(head)
      head = 0
    }
    return moved
  }

  return {
    get unfinished() {
      return slots.length - head
    },
    get position() {
      return position
    },
    received(slot) {
      slots.push(slot)
    },
    leaveOpen(replayId) {
      openId = replayId
      return advance()
    },
    finish(slot) {
      if (slot.finished) return false
      slot.finished = true
      return slots[head]?.finished === true && advance()
    },
  }
}
