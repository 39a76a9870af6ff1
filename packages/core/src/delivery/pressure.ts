import type { ChannelStream } from './channel-stream.ts'
import type { Shared } from './delivery.ts'

/** How long polls may be held back for full buffers; then the channels are given back to the org. [PROTOCOL B1] */
const maxHeldMs = 25_000

/**
 * A full buffer first holds the next poll; if that lasts, or if another channel's consumer waits, the full channel
 * alone is unsubscribed, and resumed when its buffer is a quarter full.
 */
export class Pressure {
  readonly #shared: Shared
  /** Those for which the next poll is held back. */
  #held: readonly ChannelStream[] = []
  /** Counts from the first hold: the Source stops complying then, whoever else has joined. */
  #cancelLimit: (() => void) | undefined

  constructor(shared: Shared) {
    this.#shared = shared
  }

  get holding(): boolean {
    return this.#held.length > 0
  }

  /** The stream has received. */
  check(stream: ChannelStream): void {
    if (stream.paused || !stream.members.some((member) => member.full)) return
    // Held, and more has come: the Source could not comply.
    if (stream.relief || this.#othersWait(stream)) this.#pause(stream)
    else this.#hold(stream)
  }

  /** A buffer of the stream has shrunk, or a member has left. */
  eased(stream: ChannelStream): void {
    if (stream.relief && stream.members.every((member) => member.drained)) this.relieve(stream)
  }

  /** Some consumer begins to wait. */
  consumerWaits(): void {
    for (const stream of this.#held) if (this.#othersWait(stream)) this.#pause(stream)
  }

  /** Nobody waits for the stream's buffers any more. */
  relieve(stream: ChannelStream): void {
    const { relief } = stream
    stream.relief = undefined
    this.#forget(stream)
    relief?.()
  }

  #othersWait(stream: ChannelStream): boolean {
    return this.#shared.subscriptions.some((other) => other.stream !== stream && other.waiting)
  }

  #forget(stream: ChannelStream): void {
    this.#held = this.#held.filter((each) => each !== stream)
    if (!this.holding) this.#cancelLimit?.()
  }

  #pause(stream: ChannelStream): void {
    this.#tell(stream, 'wire')
    const letGo = stream.relief
    stream.pause()
    this.#forget(stream)
    letGo?.()
  }

  #hold(stream: ChannelStream): void {
    const { platform, source } = this.#shared
    if (!this.holding) {
      this.#cancelLimit = platform.delay(() => {
        for (const each of this.#held) this.#pause(each)
      }, maxHeldMs)
    }
    this.#held = this.#held.concat(stream)
    stream.relief = source.hold()
    this.#tell(stream, 'held')
  }

  #tell(stream: ChannelStream, how: 'wire' | 'held'): void {
    const buffered = Math.max(0, ...stream.members.map((member) => member.buffered))
    this.#shared.report({ type: 'paused', channel: stream.name, buffered, how })
  }
}
