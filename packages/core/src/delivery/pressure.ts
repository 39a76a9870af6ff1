import type { ClientStatus } from '../client-status.ts'
import type { Platform } from '../platform.ts'
import type { Source } from '../source/source.ts'
import type { ChannelStream } from './channel-stream.ts'
import type { Member } from './member.ts'

/** How long a poll may be held back for a full buffer; then the channel is given back to the org. [PROTOCOL B1] */
const maxHeldMs = 25_000

export interface Pressure {
  /** The stream's buffers have changed. */
  check(stream: ChannelStream): void
  forget(stream: ChannelStream): void
}

/**
 * A full buffer first holds the next poll; if that lasts, or if another channel's consumer waits, the full channel
 * alone is unsubscribed, and resumed when its buffer is a quarter full.
 */
export function pressure(
  source: Source,
  platform: Platform,
  streams: ReadonlyMap<string, ChannelStream>,
  report: (status: ClientStatus) => void,
): Pressure {
  const held = new Map<ChannelStream, () => void>()

  const any = (stream: ChannelStream, test: (member: Member) => boolean): boolean => [...stream.members].some(test)
  const buffered = (stream: ChannelStream): number => Math.max(0, ...[...stream.members].map((member) => member.buffered))
  const othersWait = (stream: ChannelStream): boolean =>
    [...streams.values()].some((other) => other !== stream && any(other, (member) => member.waiting))

  const release = (stream: ChannelStream): void => {
    held.get(stream)?.()
    held.delete(stream)
  }
  const pause = (stream: ChannelStream): void => {
    report({ type: 'paused', channel: stream.name, buffered: buffered(stream), how: 'wire' })
    stream.pause()
    release(stream)
  }
  const hold = (stream: ChannelStream): void => {
    const letGo = source.hold()
    const cancel = platform.delay(() => pause(stream), maxHeldMs)
    held.set(stream, () => {
      cancel()
      letGo()
    })
    report({ type: 'paused', channel: stream.name, buffered: buffered(stream), how: 'held' })
  }

  return {
    check(stream) {
      if (stream.paused || held.has(stream)) {
        if (any(stream, (member) => !member.drained)) {
          if (held.has(stream) && othersWait(stream)) pause(stream)
          return
        }
        release(stream)
        stream.resume()
      } else if (any(stream, (member) => member.full)) {
        if (othersWait(stream)) pause(stream)
        else hold(stream)
      }
    },
    forget(stream) {
      release(stream)
      stream.resume()
    },
  }
}
