import type { ClientStatus } from '../client-status.ts'
import type { Platform } from '../platform.ts'
import type { Source } from '../source/source.ts'
import type { ChannelStream } from './channel-stream.ts'
import type { Member } from './member.ts'

/** How long polls may be held back for full buffers; then the channels are given back to the org. [PROTOCOL B1] */
const maxHeldMs = 25_000

/**
 * A full buffer first holds the next poll; if that lasts, or if another channel's consumer waits, the full channel
 * alone is unsubscribed, and resumed when its buffer is a quarter full.
 */
export interface Pressure {
  /** The next poll is held back. */
  readonly holding: boolean
  /** The stream has received. */
  check(stream: ChannelStream): void
  /** A buffer of the stream has shrunk, or a member has left. */
  eased(stream: ChannelStream): void
  /** Some consumer begins to wait. */
  consumerWaits(): void
  forget(stream: ChannelStream): void
}

export function pressure(
  source: Source,
  platform: Platform,
  streams: ReadonlyMap<string, ChannelStream>,
  report: (status: ClientStatus) => void,
): Pressure {
  const held = new Map<ChannelStream, () => void>()
  /** Counts from the first hold: the Source stops complying then, whoever else has joined. */
  let cancelLimit = (): void => {}

  const any = (stream: ChannelStream, test: (member: Member) => boolean): boolean => {
    for (const member of stream.members) if (test(member)) return true
    return false
  }
  const buffered = (stream: ChannelStream): number => Math.max(0, ...[...stream.members].map((member) => member.buffered))
  const othersWait = (stream: ChannelStream): boolean => {
    for (const other of streams.values()) if (other !== stream && any(other, (member) => member.waiting)) return true
    return false
  }

  const release = (stream: ChannelStream): void => {
    const letGo = held.get(stream)
    if (!letGo) return
    held.delete(stream)
    if (held.size === 0) cancelLimit()
    letGo()
  }
  const pause = (stream: ChannelStream): void => {
    report({ type: 'paused', channel: stream.name, buffered: buffered(stream), how: 'wire' })
    stream.pressed = true
    stream.pause()
    release(stream)
  }
  const hold = (stream: ChannelStream): void => {
    if (held.size === 0) {
      cancelLimit = platform.delay(() => {
        for (const each of [...held.keys()]) pause(each)
      }, maxHeldMs)
    }
    held.set(stream, source.hold())
    stream.pressed = true
    report({ type: 'paused', channel: stream.name, buffered: buffered(stream), how: 'held' })
  }
  const relieve = (stream: ChannelStream): void => {
    stream.pressed = false
    release(stream)
    stream.resume()
  }

  return {
    get holding() {
      return held.size > 0
    },
    check(stream) {
      if (stream.paused || !any(stream, (member) => member.full)) return
      // Held, and more has come: the Source could not comply.
      if (held.has(stream) || othersWait(stream)) pause(stream)
      else hold(stream)
    },
    eased(stream) {
      if (stream.pressed && !any(stream, (member) => !member.drained)) relieve(stream)
    },
    consumerWaits() {
      if (held.size === 0) return
      for (const stream of [...held.keys()]) if (othersWait(stream)) pause(stream)
    },
    forget: relieve,
  }
}
