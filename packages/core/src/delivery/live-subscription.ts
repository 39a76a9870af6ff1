import { type Deferred, deferred } from '../async/deferred.ts'
import { type Ending, type Queue, queue } from '../async/queue.ts'
import { type Serial, serial } from '../async/serial.ts'
import { onAbort } from '../async/signals.ts'
import type { BayeuxMessage } from '../bayeux/wire/message.ts'
import { dateMs, type EventFields } from '../events/event-fields.ts'
import type { ReplayId, StreamEvent } from '../events/stream-event.ts'
import type { ChannelSubscription, ChannelSubscriptionParts } from './channel-subscription.ts'
import { DeliveredEvent } from './delivered-event.ts'
import { type Drain, drain } from './drain.ts'
import { type Ledger, ledger } from './ledger.ts'
import type { PositionWriter } from './position-writer.ts'
import { checkProcessing, type Processing, processEvents } from './process-events.ts'
import { readableEvents } from './readable-events.ts'
import { validator } from './schema-validator.ts'
import type { SubscriptionStats } from './subscription.ts'
import { closedFirst, consumedAlready } from './subscription-errors.ts'

const defaultMaxBuffered = 1_000
const defaultMaxBufferedBytes = 8 * 1024 * 1024
/** Events handed out and not committed are remembered, so they are bounded too. */
const maxUncommitted = 10_000

export function liveSubscription<T>(parts: ChannelSubscriptionParts<T>): ChannelSubscription<T> {
  return new LiveSubscription(parts)
}

/** A class, because a client may have hundreds: what they share is not kept for each. */
class LiveSubscription<T> implements ChannelSubscription<T> {
  readonly channel: string
  readonly #parts: ChannelSubscriptionParts<T>
  readonly #maxBuffered: number
  readonly #maxBytes: number
  readonly #ready: Deferred<void> = deferred()
  readonly #events: Queue<DeliveredEvent<T>>
  /** One per org; the last one receives. */
  readonly #ledgers: Ledger[] = []
  #current: Ledger | undefined
  /** Handed out by `next()`, finished by the following one. */
  readonly #inHand: DeliveredEvent<T>[] = []
  /** Taken by `process()`, and waiting for their key: they count as buffered. */
  #ahead = 0
  #bytes = 0
  #received = 0
  #delivered = 0
  #duplicates = 0
  /** The event last handed out was dated so, and was handed out then: its age is worked out when somebody asks. */
  #lastDate: string | undefined
  #lastAt = 0
  #ended: string | undefined
  #claimed = false
  #inLoop = false
  #inProcess = false
  #processing: Processing | undefined
  #aborted = false
  #attached = true
  readonly #draining: Drain | undefined
  #removeAbort: (() => void) | undefined
  readonly #validate: ReturnType<typeof validator> | undefined
  readonly #checking: Serial | undefined

  constructor(parts: ChannelSubscriptionParts<T>) {
    const { channel, platform, options, report } = parts
    this.#parts = parts
    this.channel = channel.name
    this.#maxBuffered = options.maxBuffered ?? defaultMaxBuffered
    this.#maxBytes = options.maxBufferedBytes ?? defaultMaxBufferedBytes
    this.#events = queue<DeliveredEvent<T>>({
      taken: (event) => {
        this.#handedOut(event)
        if (this.#inLoop) this.#inHand.push(event)
        this.#draining?.delivered(this.#delivered + this.#ahead, event.createdDate, channel.now())
      },
      parked: () => {
        this.rested()
        channel.parked()
      },
      ended: () => {
        this.#detach('closed')
        // The last handlers may still commit; `process` ends it when they are done.
        if (!this.#inProcess) this.#wrapUp()
      },
    })
    if (options.schema) {
      this.#validate = validator(options.schema, report, channel.name, options.onInvalid ?? 'throw')
      this.#checking = serial((error) => this.#invalid(error))
    }
    if (options.until) {
      const quiet = (): boolean => channel.live && this.buffered === 0 && this.#inHand.length + (this.#processing?.running ?? 0) === 0
      // What is buffered beyond the end is dropped: it was not asked for, and comes again.
      this.#draining = drain(options.until, platform, quiet, (why) => {
        this.#detach(why)
        this.#drop()
        this.#endAfterBuffer(() => this.#events.close())
      })
    }
    const { signal } = options
    if (signal) this.#removeAbort = onAbort(signal, () => this.abort(signal.reason))
  }

  // --- what users have --------------------------------------------------------------------------------------------

  get ready(): Promise<void> {
    return this.#ready.promise
  }

  get stats(): SubscriptionStats {
    const stats: SubscriptionStats = {
      received: this.#received,
      delivered: this.#delivered,
      duplicates: this.#duplicates,
      buffered: this.buffered,
    }
    const datedMs = dateMs(this.#lastDate)
    if (datedMs !== undefined) stats.lagMs = this.#lastAt - datedMs
    const saved = this.#current?.saved
    if (saved) stats.committed = saved.replayId
    if (this.#ended !== undefined) stats.ended = this.#ended
    return stats
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamEvent<T>> {
    this.#claim()
    this.#inLoop = true
    return {
      next: () => {
        this.#finishInHand()
        return this.#events.next()
      },
      return: () => {
        this.#end('closed', () => void this.#events.return())
        return Promise.resolve({ value: undefined, done: true })
      },
    }
  }

  process(
    handler: (event: StreamEvent<T>) => unknown,
    options?: { concurrency?: number; orderBy?: (event: StreamEvent<T>) => string },
  ): Promise<void> {
    const { concurrency = 1, orderBy } = options ?? {}
    checkProcessing(handler, concurrency, orderBy)
    this.#claim()
    this.#inProcess = true
    const close = (): void => this.#end('closed', () => this.#events.close())
    this.#processing = processEvents<T>({
      pull: () => this.#events.next(),
      close,
      handler,
      waits: (event) => {
        this.#ahead++
        this.#delivered--
        this.#bytes += DeliveredEvent.bytes(event as DeliveredEvent<T>)
        if (this.#attached && this.full) this.#parts.channel.filled()
      },
      resumed: (event) => {
        this.#ahead--
        this.#handedOut(event as DeliveredEvent<T>)
      },
      finished: (event) => {
        if (this.#parts.autoCommit) DeliveredEvent.finish(event as DeliveredEvent<T>)
      },
      concurrency,
      orderBy,
    })
    return this.#processing.done.finally(close)
  }

  toReadableStream(): ReadableStream<StreamEvent<T>> {
    return readableEvents(this[Symbol.asyncIterator]())
  }

  close(): Promise<void> {
    this.#end('closed', () => this.#events.close())
    return this.#conclude()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // --- what `events()` and the client need ------------------------------------------------------------------------

  get claimed(): boolean {
    return this.#claimed
  }

  take(): DeliveredEvent<T> | undefined {
    return this.#events.take()
  }

  takeEnd(): Ending | undefined {
    return this.#events.takeEnd()
  }

  giveBack(event: DeliveredEvent<unknown>): void {
    // Closed meanwhile: it comes again with the next subscription. Committed: not any more.
    if (this.#ended === 'closed' || this.#ended === 'aborted' || DeliveredEvent.isFinished(event)) return
    this.#bytes += DeliveredEvent.bytes(event)
    this.#delivered--
    this.#events.putBack([event as DeliveredEvent<T>])
  }

  keepPositions(writer: PositionWriter): void {
    this.#current = ledger(this.channel, writer, () => this.#eased())
    this.#ledgers.push(this.#current)
  }

  rested(): void {
    this.#current?.rested()
  }

  finish(): void {
    this.#detach('stopped')
    this.#afterChecks(() => this.#endAfterBuffer(() => this.#events.finish()))
  }

  abort(reason: unknown): void {
    if (this.#ended === 'closed' || this.#aborted) return
    this.#aborted = true
    this.#ready.reject(reason)
    this.#processing?.abort(reason)
    this.#end('aborted', () => this.#events.abort(reason))
  }

  // --- receiving --------------------------------------------------------------------------------------------------

  receive(message: BayeuxMessage, fields: EventFields, size: number, drop: boolean): void {
    this.#received++
    const slot = this.#current?.received(fields.replayId, fields.createdDate)
    if (drop) {
      if (slot) this.#current?.finish(slot)
      return
    }
    this.#bytes += size
    this.#draining?.stirred()
    const event = new DeliveredEvent<T>(message, fields, size, this.#current, slot)
    if (this.#checking) this.#checking.run(() => this.#check(event))
    else this.#admit(event)
  }

  replyEnded(openId: ReplayId | undefined): void {
    this.#current?.replyEnded(openId)
  }

  repeated(): void {
    this.#duplicates++
  }

  accepted(): void {
    this.#ready.resolve()
    this.#draining?.stirred()
  }

  fail(error: unknown): void {
    if (!this.#attached) return
    this.#failAfterBuffer(error)
    this.#afterChecks(() => this.#endAfterBuffer(() => this.#events.fail(error)))
  }

  room(coming: number): number {
    if (this.#bytes + coming > this.#maxBytes) return 0
    return Math.min(this.#maxBuffered - this.buffered, maxUncommitted - this.#uncommitted)
  }

  get full(): boolean {
    return this.buffered > this.#maxBuffered || this.#bytes > this.#maxBytes || this.#uncommitted > maxUncommitted
  }

  get drained(): boolean {
    return this.buffered <= this.#maxBuffered / 4 && this.#bytes <= this.#maxBytes / 4 && this.#uncommitted <= maxUncommitted / 2
  }

  get waiting(): boolean {
    return this.#events.parked || (!this.#claimed && this.#attached && this.#parts.mergedWaits())
  }

  get buffered(): number {
    return this.#events.size + (this.#checking?.size ?? 0) + this.#ahead
  }

  get #uncommitted(): number {
    return this.#current ? this.#current.unfinished - this.buffered : 0
  }

  #admit(event: DeliveredEvent<T>): void {
    this.#events.push(event)
    if (!this.#claimed) this.#parts.unclaimed(this as ChannelSubscription)
  }

  /** Payloads are checked on arrival, in order, so that a consumer never waits for it, nor `events()` has to know. */
  #check(event: DeliveredEvent<T>): void | Promise<void> {
    const settle = (checked: DeliveredEvent<unknown> | undefined): void => {
      if (checked) return this.#admit(checked as DeliveredEvent<T>)
      this.#bytes -= DeliveredEvent.bytes(event)
      DeliveredEvent.finish(event)
    }
    const result = this.#validate?.(event)
    return result && 'then' in result ? result.then(settle) : settle(result)
  }

  /** What came after an event that does not fit is not handed out before the error. */
  #invalid(error: unknown): void {
    this.#failAfterBuffer(error)
    this.#drop()
    this.#endAfterBuffer(() => this.#events.fail(error))
  }

  /** Once every payload received so far is checked. */
  #afterChecks(then: () => void): void {
    if (this.#checking) this.#checking.run(then)
    else then()
  }

  // --- handing out ------------------------------------------------------------------------------------------------

  #handedOut(event: DeliveredEvent<T>): void {
    this.#bytes -= DeliveredEvent.bytes(event)
    this.#delivered++
    this.#lastDate = event.createdDate
    this.#lastAt = this.#parts.channel.now()
    this.#eased()
  }

  #eased(): void {
    const { channel } = this.#parts
    if (channel.pressed && this.#attached && this.drained) channel.eased()
  }

  #finishInHand(): void {
    for (let event = this.#inHand.shift(); event; event = this.#inHand.shift()) {
      if (this.#parts.autoCommit) DeliveredEvent.finish(event)
    }
  }

  #claim(): void {
    if (this.#claimed) throw consumedAlready(this.channel)
    this.#claimed = true
  }

  // --- the end ----------------------------------------------------------------------------------------------------

  /** Takes nothing more from the channel. */
  #detach(why: string): void {
    if (!this.#attached) return
    this.#attached = false
    this.#ended ??= why
    this.#draining?.close()
    this.#ready.reject(closedFirst(this.channel))
    this.#parts.channel.leave(this as ChannelSubscription)
  }

  /** Nobody will finish another event: what is finished becomes durable. */
  async #conclude(): Promise<void> {
    this.#inHand.length = 0
    this.#removeAbort?.()
    const results = await Promise.allSettled(this.#ledgers.map((each) => each.close()))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /** A failing store was reported; whoever closes or stops is told. */
  #wrapUp(): void {
    this.#conclude().catch(() => {})
    this.#parts.over(this as ChannelSubscription)
  }

  /** Drops what is buffered; a parked consumer learns of the end at once. */
  #end(why: string, how: () => void): void {
    this.#detach(why)
    this.#drop()
    this.#processing?.drop()
    this.#ahead = 0
    how()
    this.#wrapUp()
  }

  #drop(): void {
    this.#checking?.clear()
    this.#bytes = 0
  }

  /** The end is there, after what is buffered; with nobody to take it and nothing to take, that is all. */
  #endAfterBuffer(how: () => void): void {
    how()
    if (this.#claimed) return
    this.#parts.unclaimed(this as ChannelSubscription)
    if (this.#events.size === 0) this.#wrapUp()
  }

  #failAfterBuffer(error: unknown): void {
    this.#ready.reject(error)
    if (this.#attached) this.#parts.report({ type: 'subscriptionFailed', channel: this.channel, error })
    this.#detach('failed')
  }
}
