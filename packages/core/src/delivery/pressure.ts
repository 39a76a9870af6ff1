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
  return new BufferPressure(source, platform, streams, report)
}

class BufferPressure implements Pressure {
  readonly #source: Source
  readonly #platform: Platform
  readonly #streams: ReadonlyMap<string, ChannelStream>
  readonly #report: (status: ClientStatus) => void
  readonly #held = new Map<ChannelStream, () => void>()
  /** Counts from the first hold: the Source stops complying then, whoever else has joined. */
  #cancelLimit: (() => void) | undefined

  constructor(source: Source, platform: Platform, streams: ReadonlyMap<string, ChannelStream>, report: (status: ClientStatus) => void) {
    this.#source = source
    this.#platform = platform
    this.#streams = streams
    this.#report = report
  }

  get holding(): boolean {
    return this.#held.size > 0
  }

  check(stream: ChannelStream): void {
    if (stream.paused || !any(stream, (member) => member.full)) return
    // Held, and more has come: the Source could not comply.
    if (this.#held.has(stream) || this.#othersWait(stream)) this.#pause(stream)
    else this.#hold(stream)
  }

  eased(stream: ChannelStream): void {
    if (stream.pressed && !any(stream, (member) => !member.drained)) this.forget(stream)
  }

  consumerWaits(): void {
    if (!this.holding) return
    for (const stream of [...this.#held.keys()]) if (this.#othersWait(stream)) this.#pause(stream)
  }

  forget(stream: ChannelStream): void {
    stream.pressed = false
    this.#release(stream)
    stream.resume()
  }

  #othersWait(stream: ChannelStream): boolean {
    for (const other of this.#streams.values()) if (other !== stream && any(other, (member) => member.waiting)) return true
    return false
  }

  #release(stream: ChannelStream): void {
    const letGo = this.#held.get(stream)
    if (!letGo) return
    this.#held.delete(stream)
    if (!this.holding) this.#cancelLimit?.()
    letGo()
  }

  #pause(stream: ChannelStream): void {
    this.#report({ type: 'paused', channel: stream.name, buffered: buffered(stream), how: 'wire' })
    stream.pressed = true
    stream.pause()
    this.#release(stream)
  }

  #hold(stream: ChannelStream): void {
    if (!this.holding) {
      this.#cancelLimit = this.#platform.delay(() => {
        for (const each of [...this.#held.keys()]) this.#pause(each)
      }, maxHeldMs)
    }
    this.#held.set(stream, this.#source.hold())
    stream.pressed = true
    this.#report({ type: 'paused', channel: stream.name, buffered: buffered(stream), how: 'held' })
  }
}

function any(stream: ChannelStream, test: (member: Member) => boolean): boolean {
  for (const member of stream.members) if (test(member)) return true
  return false
}

function buffered(stream: ChannelStream): number {
  return Math.max(0, ...[...stream.members].map((member) => member.buffered))
}
