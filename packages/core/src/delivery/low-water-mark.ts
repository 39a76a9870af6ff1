import type { Deferred } from '../async/deferred.ts'
import type { ReplayId } from '../events/stream-event.ts'
import type { ReplayPosition } from './replay-store.ts'

/** One received event's place in the order of arrival. */
export interface Slot {
  readonly replayId: ReplayId | undefined
  readonly createdDate: string | undefined
  finished: boolean
  /** It is finished, and so is everything before it. */
  passed: boolean
  /** Who waits for that. */
  waiting: Deferred<void> | undefined
}

/**
 * Which position may be stored: that of the last event before which everything is finished. Events that share an id
 * become a position together. [PROTOCOL D4]
 */
export interface LowWaterMark {
  /** Received and not passed. */
  readonly unfinished: number
  readonly position: ReplayPosition | undefined
  received(slot: Slot): void
  /** The reply is in, so the last id is complete, unless it broke off inside the group of `openId`. */
  replyEnded(openId: ReplayId | undefined): void
  finish(slot: Slot): void
}

export function lowWaterMark(passed: (slot: Slot) => void): LowWaterMark {
  let slots: Slot[] = []
  let head = 0
  /** More events of this id may come. */
  let openId: ReplayId | undefined
  /** The last one passed that has an id. */
  let reached: Slot | undefined
  let confirmed: Slot | undefined
  let position: ReplayPosition | undefined

  const isComplete = (slot: Slot): boolean => {
    const next = slots[head]
    return next?.replayId === undefined ? slot.replayId !== openId : slot.replayId !== next.replayId
  }
  const advance = (): void => {
    let last = confirmed
    while (slots[head]?.finished) {
      const slot = slots[head++] as Slot
      slot.passed = true
      if (slot.waiting) passed(slot)
      if (slot.replayId === undefined) continue
      // Another id has followed.
      if (reached && reached.replayId !== slot.replayId) last = reached
      reached = slot
    }
    if (reached && isComplete(reached)) last = reached
    if (last && last !== confirmed) {
      confirmed = last
      const { replayId, createdDate } = last
      position = createdDate === undefined ? { replayId: replayId as ReplayId } : { replayId: replayId as ReplayId, createdDate }
    }
    if (head === slots.length) {
      slots.length = 0
      head = 0
    } else if (head > 1024 && head * 2 > slots.length) {
      slots = slots.slice(head)
      head = 0
    }
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
      openId = slot.replayId
    },
    replyEnded(id) {
      openId = id
      if (reached && reached !== confirmed) advance()
    },
    finish(slot) {
      if (slot.finished) return
      slot.finished = true
      if (slot === slots[head]) advance()
    },
  }
}
