import { type Ending, type Queue, type QueueHooks, queue } from '../async/queue.ts'
import { onAbort } from '../async/signals.ts'
import { dateMs } from '../events/event-fields.ts'
import type { ReplayId, StreamEvent } from '../events/stream-event.ts'
import type { SubscribeOptions } from '../options.ts'
import type { ChannelStream } from './channel-stream.ts'
import { DeliveredEvent } from './delivered-event.ts'
import type { Shared } from './delivery.ts'
import { type Drain, drain } from './drain.ts'
import { Ledger, type LedgerOwner } from './ledger.ts'
import { type PayloadChecks, payloadChecks } from './payload-checks.ts'
import type { PositionWriter } from './position-writer.ts'
import { allSettled } from './positions.ts'
import { checkProcessing, type Processing, processEvents } from './process-events.ts'
import { readableEvents } from './readable-events.ts'
import { Readiness } from './readiness.ts'
import type { HubNeeds, Subscription, SubscriptionStats } from './subscription.ts'
import { closedFirst, consumedAlready } from './subscription-errors.ts'

/** Events handed out and not committed are remembered, so they are bounded too. */
const maxUncommitted = 10_000

/** A subscription, and the iterator over it. */
export class LiveSubscription implements Subscription, HubNeeds, AsyncIterator<StreamEvent>, QueueHooks<DeliveredEvent>, LedgerOwner {
  readonly stream: ChannelStream
  /** The loop over all channels that it stays with. */
  loop: object | undefined
  openId: ReplayId | undefined
  readonly #shared: Shared
  readonly #maxBuffered: number
  readonly #maxBytes: number
  readonly #ready = new Readiness()
  readonly #events: Queue<DeliveredEvent>
  /** One per org; the last one receives. */
  readonly #ledgers: Ledger[] = []
  #current: Ledger | undefined
  /** Handed out by `next()`, finished by the following one. */
  readonly #inHand: DeliveredEvent[] = []
  /** Taken by `process()`, and waiting for their key: they count as buffered. */
  #ahead = 0
  #bytes = 0
  #received = 0
  #delivered = 0
  #duplicates = 0
  /** The event last handed out was dated so, and was handed out then: its age is worked out when somebody asks. */
  #lastDate: string | undefined
  #lastAt = 0
  /** It takes nothing more from the channel, and why. */
  #ended: string | undefined
  /** What is buffered is not handed out any more. */
  #dropped = false
  #consumer: 'loop' | 'process' | undefined
  #processing: Processing | undefined
  readonly #draining: Drain | undefined
  quietOnly?: boolean
  #removeAbort: (() => void) | undefined
  readonly #checks: PayloadChecks | undefined

  constructor(stream: ChannelStream, options: SubscribeOptions, shared: Shared) {
    const { maxBuffered = 1_000, maxBufferedBytes = 8 * 1024 * 1024, schema, onInvalid, until, signal } = options
    const channel = stream.name
    this.stream = stream
    this.#shared = shared
    this.#maxBuffered = maxBuffered
    this.#maxBytes = maxBufferedBytes
    this.#events = queue<DeliveredEvent>(this)
    if (schema) {
      this.#checks = payloadChecks(schema, {
        channel,
        onInvalid,
        passed: (event) => this.#admit(event),
        skipped: (event, issues) => {
          shared.report({ type: 'invalidEvent', channel, replayId: event.replayId, issues })
          this.#bytes -= DeliveredEvent.bytes(event)
          DeliveredEvent.finish(event)
        },
        // Until then it was in the buffer: without this nobody would ask for more, where it was the last, or nobody is handed it.
        judged: () => this.eased(),
        // What came after an event that does not fit is not handed out before the error.
        failed: (error) => {
          this.#failed(error)
          this.#checks?.clear()
          this.#endAfterBuffer(() => this.#events.fail(error))
        },
      })
    }
    if (until) {
      const quiet = (): boolean => stream.live && this.buffered + this.#inHand.length + (this.#processing?.running() ?? 0) === 0
      // What is buffered beyond the end is dropped: it was not asked for, and comes again.
      this.#draining = drain(until, shared.platform, quiet, (why) => {
        this.#detach(why)
        this.#checks?.clear()
        this.#endAfterBuffer(() => this.#events.close())
      })
    }
    if (signal) this.#removeAbort = onAbort(signal, () => this.abort(signal.reason))
  }

  // --- what users have --------------------------------------------------------------------------------------------

  get channel(): string {
    return this.stream.name
  }

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
    const saved = this.#current?.writer.saved?.replayId
    if (saved !== undefined) stats.committed = saved
    if (this.#ended !== undefined) stats.ended = this.#ended
    return stats
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamEvent> {
    this.#claim('loop')
    return this
  }

  next(): Promise<IteratorResult<StreamEvent>> {
    // Not shift(): it empties the list, and an empty one that is pushed to is given room for sixteen more.
    for (let event = this.#inHand.pop(); event; event = this.#inHand.pop()) this.#finished(event)
    return this.#events.next()
  }

  return(): Promise<IteratorResult<StreamEvent>> {
    this.#shut()
    return this.#events.return()
  }

  process(
    handler: (event: StreamEvent) => unknown,
    options: { concurrency?: number; orderBy?: (event: StreamEvent) => string } = {},
  ): Promise<void> {
    checkProcessing(handler, options)
    const { concurrency = 1, orderBy } = options
    this.#claim('process')
    const source = {
      pull: () => this.#events.next(),
      close: () => this.#shut(),
      waits: (event: DeliveredEvent) => {
        this.#ahead++
        this.#takeBack(event)
        if (this.attached && !this.stream.relief) this.#shared.pressure.check(this.stream)
      },
      resumed: (event: DeliveredEvent) => {
        this.#ahead--
        this.#handedOut(event)
      },
      finished: (event: DeliveredEvent) => this.#finished(event),
    }
    this.#processing = processEvents(source, { handler, concurrency, orderBy })
    return this.#processing.done.finally(() => this.#shut())
  }

  toReadableStream(): ReadableStream<StreamEvent> {
    return readableEvents(this[Symbol.asyncIterator]())
  }

  close(): Promise<void> {
    this.#shut()
    return this.#conclude()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // --- what `events()` and the client need ------------------------------------------------------------------------

  /** It has a consumer of its own. */
  get claimed(): boolean {
    return this.#consumer !== undefined
  }

  get attached(): boolean {
    return this.#ended === undefined
  }

  take(): DeliveredEvent | undefined {
    return this.#events.take()
  }

  takeEnd(): Ending | undefined {
    return this.#events.takeEnd()
  }

  /** An event taken and not finished: it is the next one again. */
  giveBack(event: DeliveredEvent): void {
    // Closed meanwhile: it comes again with the next subscription. Committed: not any more.
    if (this.#dropped || DeliveredEvent.isFinished(event)) return
    this.#takeBack(event)
    this.#events.putBack([event])
  }

  /** Positions are kept from now on, in the org that the channel has been opened in. */
  keepPositions(writer: PositionWriter): void {
    // Of an org that it comes back to, events may still be unfinished: those that follow stand behind them.
    const known = this.#ledgers.find((each) => each.writer === writer)
    this.#current = known ?? new Ledger(this, writer)
    if (!known) this.#ledgers.push(this.#current)
  }

  /** Nothing is left to take. */
  rested(): void {
    this.#current?.writer.rested()
  }

  /** Ends the iterator, after what is buffered. */
  finish(): void {
    this.#detach('stopped')
    this.#endAfterChecks(() => this.#events.finish())
  }

  abort(reason: unknown): void {
    if (this.#dropped) return
    this.#processing?.abort(reason)
    this.#end('aborted', () => this.#events.abort(reason), reason)
  }

  // --- what its channel's stream does to it -----------------------------------------------------------------------

  /** An event; `drop`: not to be handed out, but its position counts. */
  receive(event: DeliveredEvent, drop: boolean): void {
    this.#received++
    DeliveredEvent.place(event, this.#current?.received(event.replayId, event.createdDate))
    if (drop) return DeliveredEvent.finish(event)
    this.#bytes += DeliveredEvent.bytes(event)
    this.#draining?.stirred()
    if (this.#checks) this.#checks.check(event)
    else this.#admit(event)
  }

  /** The reply is in; `openId`: it broke off inside the group of that id. */
  replyEnded(openId: ReplayId | undefined): void {
    this.openId = openId
    this.#current?.replyEnded(openId)
  }

  repeated(): void {
    this.#duplicates++
  }

  accepted(): void {
    this.#ready.tell(({ resolve }) => resolve())
    this.#draining?.stirred()
  }

  /** Rejects the iterator, after what is buffered. */
  fail(error: unknown): void {
    this.#failed(error)
    this.#endAfterChecks(() => this.#events.fail(error))
  }

  /** How many more events it would keep, when they come in a reply of that many bytes. */
  room(coming: number): number {
    if (this.#bytes + coming > this.#maxBytes) return 0
    return Math.min(this.#maxBuffered - this.buffered, maxUncommitted - this.#uncommitted)
  }

  /** More than its marks allow. */
  get full(): boolean {
    return this.buffered > this.#maxBuffered || this.#bytes > this.#maxBytes || this.#uncommitted > maxUncommitted
  }

  /** Back to a quarter of its marks. */
  get drained(): boolean {
    return this.buffered <= this.#maxBuffered / 4 && this.#bytes <= this.#maxBytes / 4 && this.#uncommitted <= maxUncommitted / 2
  }

  /** A consumer waits for an event. */
  get waiting(): boolean {
    return this.attached && (this.claimed ? this.#events.parked : (this.#shared.merged?.parked ?? false))
  }

  get buffered(): number {
    return this.#events.size + (this.#checks?.size() ?? 0) + this.#ahead
  }

  get #uncommitted(): number {
    return this.#current ? this.#current.unfinished - this.buffered : 0
  }

  #admit(event: DeliveredEvent): void {
    this.#events.push(event)
    if (!this.claimed) this.#shared.merged?.offer(this)
  }

  // --- handing out ------------------------------------------------------------------------------------------------

  taken(event: DeliveredEvent): void {
    this.#handedOut(event)
    if (this.#consumer === 'loop') this.#inHand.push(event)
    this.#draining?.delivered(this.#delivered + this.#ahead, this.quietOnly ? undefined : event.createdDate, this.stream.now())
  }

  parked(): void {
    this.rested()
    this.#shared.pressure.consumerWaits()
  }

  ended(): void {
    this.#detach('closed')
    // The last handlers may still commit; `process` ends it when they are done.
    if (this.#consumer !== 'process') this.#wrapUp()
  }

  #handedOut(event: DeliveredEvent): void {
    this.#bytes -= DeliveredEvent.bytes(event)
    this.#delivered++
    this.#lastDate = event.createdDate
    this.#lastAt = this.stream.now()
    this.eased()
  }

  #takeBack(event: DeliveredEvent): void {
    this.#bytes += DeliveredEvent.bytes(event)
    this.#delivered--
  }

  /** Its buffer has shrunk, or an event was finished. */
  eased(): void {
    if (this.attached) this.#shared.pressure.eased(this.stream)
  }

  #finished(event: DeliveredEvent): void {
    if (this.#shared.autoCommit) DeliveredEvent.finish(event)
  }

  #claim(consumer: 'loop' | 'process'): void {
    if (this.claimed) throw consumedAlready(this.channel)
    this.#consumer = consumer
  }

  // --- the end ----------------------------------------------------------------------------------------------------

  /** Takes nothing more from the channel. */
  #detach(why: string, error: unknown = closedFirst(this.channel)): void {
    if (!this.attached) return
    this.#ended = why
    this.#draining?.close()
    this.#ready.tell(({ reject }) => reject(error))
    this.stream.leave(this)
  }

  /** Nobody will finish another event: what is finished becomes durable. A failing store was reported; who closes or stops is told. */
  async #conclude(): Promise<void> {
    this.#inHand.length = 0
    this.#removeAbort?.()
    await allSettled(this.#ledgers.map((each) => each.close()))
  }

  #wrapUp(): void {
    this.#conclude().catch(() => {})
    this.#shared.over(this)
  }

  #shut(): void {
    this.#end('closed', () => this.#events.close())
  }

  /** Drops what is buffered; a parked consumer learns of the end at once. */
  #end(why: string, how: () => void, error?: unknown): void {
    this.#detach(why, error)
    this.#dropped = true
    this.#checks?.clear()
    this.#processing?.drop()
    this.#ahead = 0
    how()
    this.#wrapUp()
  }

  /** Once every payload received so far is checked. */
  #endAfterChecks(how: () => void): void {
    if (this.#checks) this.#checks.afterwards(() => this.#endAfterBuffer(how))
    else this.#endAfterBuffer(how)
  }

  /** The end is there, after what is buffered; with nobody to take it and nothing to take, that is all. */
  #endAfterBuffer(how: () => void): void {
    how()
    if (this.claimed) return
    this.#shared.merged?.offer(this)
    if (this.#events.size === 0) this.#wrapUp()
  }

  #failed(error: unknown): void {
    if (this.attached) this.#shared.report({ type: 'subscriptionFailed', channel: this.channel, error })
    this.#detach('failed', error)
  }
}
