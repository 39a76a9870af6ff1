import { type Deferred, deferred } from '../async/deferred.ts'
import { type Ending, queue } from '../async/queue.ts'
import { type Serial, serial } from '../async/serial.ts'
import { onAbort } from '../async/signals.ts'
import type { ClientStatus } from '../client-status.ts'
import { SfStreamError, StateError, textOf } from '../errors.ts'
import { dateMs } from '../events/event-fields.ts'
import type { StreamEvent } from '../events/stream-event.ts'
import type { SubscribeOptions } from '../options.ts'
import type { Platform } from '../platform.ts'
import { DeliveredEvent } from './delivered-event.ts'
import { type Drain, drain } from './drain.ts'
import { type Ledger, ledger } from './ledger.ts'
import type { Channel, Member } from './member.ts'
import type { PositionWriter } from './position-writer.ts'
import { type Processing, processEvents } from './process-events.ts'
import { validator } from './schema-validator.ts'
import type { Subscription, SubscriptionStats } from './subscription.ts'

export interface ChannelSubscriptionParts<T> {
  channel: Channel
  platform: Platform
  options: SubscribeOptions<T>
  autoCommit: boolean
  report(status: ClientStatus): void
  /** An event, or the end, is there, and no loop of its own to take it. */
  unclaimed(subscription: ChannelSubscription): void
  /** Whether the loop over all channels waits. */
  mergedWaits(): boolean
  /** Nobody can get anything from it any more. */
  over(subscription: ChannelSubscription): void
}

/** A subscription as the client sees it: what users have, and what streams and `events()` need besides. */
export interface ChannelSubscription<T = unknown> extends Subscription<T>, Member {
  /** It has a consumer of its own. */
  readonly claimed: boolean
  take(): DeliveredEvent<T> | undefined
  takeEnd(): Ending | undefined
  /** An event taken and not finished: it is the next one again. */
  giveBack(event: DeliveredEvent<unknown>): void
  /** Positions are kept from now on, in the org that the channel has been opened in. */
  keepPositions(writer: PositionWriter): void
  /** Ends the iterator, after what is buffered. */
  finish(): void
  abort(reason: unknown): void
  /** The loop over all channels has nothing left to take. */
  rested(): void
}

const defaultMaxBuffered = 1_000
const defaultMaxBufferedBytes = 8 * 1024 * 1024
/** Events handed out and not committed are remembered, so they are bounded too. */
const maxUncommitted = 10_000

export function channelSubscription<T>(parts: ChannelSubscriptionParts<T>): ChannelSubscription<T> {
  const { channel, platform, options, autoCommit } = parts
  const maxBuffered = options.maxBuffered ?? defaultMaxBuffered
  const maxBytes = options.maxBufferedBytes ?? defaultMaxBufferedBytes
  const ready: Deferred<void> = deferred()
  /** One per org; the last one receives. */
  const ledgers: Ledger[] = []
  let current: Ledger | undefined
  /** Handed out by `next()`, finished by the following one. */
  const inHand: DeliveredEvent<T>[] = []
  /** Taken by `process()`, and waiting for their key: they count as buffered. */
  let ahead = 0
  let bytes = 0
  let received = 0
  let delivered = 0
  let duplicates = 0
  /** The event last handed out was dated so, and was handed out then: its age is worked out when somebody asks. */
  let lastDate: string | undefined
  let lastAt = 0
  let ended: string | undefined
  let claimed = false
  let inLoop = false
  let inProcess = false
  let processing: Processing | undefined
  let aborted = false
  let attached = true
  let draining: Drain | undefined
  let removeAbort = (): void => {}

  const events = queue<DeliveredEvent<T>>({
    taken(event) {
      handedOut(event)
      if (inLoop) inHand.push(event)
      draining?.delivered(delivered + ahead, event.createdDate, channel.now())
    },
    parked() {
      current?.rested()
      channel.parked()
    },
    ended() {
      detach('closed')
      // The last handlers may still commit; `process` ends it when they are done.
      if (!inProcess) wrapUp()
    },
  })
  const handedOut = (event: DeliveredEvent<T>): void => {
    bytes -= DeliveredEvent.bytes(event)
    delivered++
    lastDate = event.createdDate
    lastAt = channel.now()
    eased()
  }
  const eased = (): void => {
    if (channel.pressed && attached && subscription.drained) channel.eased()
  }
  const finishInHand = (): void => {
    for (let event = inHand.shift(); event; event = inHand.shift()) if (autoCommit) DeliveredEvent.finish(event)
  }

  // --- the end ----------------------------------------------------------------------------------------------------

  /** Takes nothing more from the channel. */
  const detach = (why: string): void => {
    if (!attached) return
    attached = false
    ended ??= why
    draining?.close()
    ready.reject(
      new StateError({
        code: 'client_stopped',
        message: `${channel.name} was closed.`,
        remediation: 'Subscribe again.',
        channel: channel.name,
      }),
    )
    channel.leave(subscription as ChannelSubscription)
  }
  /** Nobody will finish another event: what is finished becomes durable. */
  const conclude = async (): Promise<void> => {
    inHand.length = 0
    removeAbort()
    const results = await Promise.allSettled(ledgers.map((each) => each.close()))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }
  /** A failing store was reported; whoever closes or stops is told. */
  const wrapUp = (): void => {
    conclude().catch(() => {})
    parts.over(subscription as ChannelSubscription)
  }
  /** Drops what is buffered; a parked consumer learns of the end at once. */
  const end = (why: string, how: () => void): void => {
    detach(why)
    drop()
    processing?.drop()
    ahead = 0
    how()
    wrapUp()
  }
  const drop = (): void => {
    checking?.clear()
    bytes = 0
  }
  /** The end is there, after what is buffered; with nobody to take it and nothing to take, that is all. */
  const endAfterBuffer = (how: () => void): void => {
    how()
    if (claimed) return
    parts.unclaimed(subscription as ChannelSubscription)
    if (events.size === 0) wrapUp()
  }
  const failAfterBuffer = (error: unknown): void => {
    ready.reject(error)
    if (attached) parts.report({ type: 'subscriptionFailed', channel: channel.name, error })
    detach('failed')
  }

  // --- receiving --------------------------------------------------------------------------------------------------

  const validate = options.schema ? validator(options.schema, parts.report, channel.name, options.onInvalid ?? 'throw') : undefined
  const checking: Serial | undefined = validate ? serial(invalid) : undefined

  /** What came after an event that does not fit is not handed out before the error. */
  function invalid(error: unknown): void {
    failAfterBuffer(error)
    drop()
    endAfterBuffer(() => events.fail(error))
  }
  const admit = (event: DeliveredEvent<T>): void => {
    events.push(event)
    if (!claimed) parts.unclaimed(subscription as ChannelSubscription)
  }
  /** Payloads are checked on arrival, in order, so that a consumer never waits for it, nor `events()` has to know. */
  const check = (event: DeliveredEvent<T>): void | Promise<void> => {
    const settle = (checked: DeliveredEvent<unknown> | undefined): void => {
      if (checked) return admit(checked as DeliveredEvent<T>)
      bytes -= DeliveredEvent.bytes(event)
      DeliveredEvent.finish(event)
    }
    const result = validate?.(event)
    return result && 'then' in result ? result.then(settle) : settle(result)
  }
  /** Once every payload received so far is checked. */
  const afterChecks = (then: () => void): void => (checking ? checking.run(then) : then())

  // --- handing out ------------------------------------------------------------------------------------------------

  const iterator: AsyncIterator<StreamEvent<T>> = {
    next() {
      finishInHand()
      return events.next()
    },
    return() {
      end('closed', () => void events.return())
      return Promise.resolve({ value: undefined, done: true })
    },
  }
  const claim = (): void => {
    if (claimed) {
      throw new StateError({
        code: 'already_consumed',
        message: `${channel.name} has a consumer already.`,
        remediation: 'Call subscribe() again for a second consumer of the channel.',
        channel: channel.name,
      })
    }
    claimed = true
  }
  const uncommitted = (): number => (current ? current.unfinished - subscription.buffered : 0)

  const subscription: ChannelSubscription<T> = {
    channel: channel.name,
    ready: ready.promise,
    get stats() {
      const stats: SubscriptionStats = { received, delivered, duplicates, buffered: subscription.buffered }
      const datedMs = dateMs(lastDate)
      if (datedMs !== undefined) stats.lagMs = lastAt - datedMs
      const saved = current?.saved
      if (saved) stats.committed = saved.replayId
      if (ended !== undefined) stats.ended = ended
      return stats
    },
    [Symbol.asyncIterator]() {
      claim()
      inLoop = true
      return iterator
    },
    process(handler, options) {
      const { concurrency = 1, orderBy } = options ?? {}
      const wrong =
        typeof handler !== 'function'
          ? ['the handler is no function', 'Pass what is to be called for each event.']
          : !(concurrency >= 1)
            ? [`concurrency is ${textOf(concurrency)}`, 'Pass a number of 1 or more.']
            : orderBy !== undefined && typeof orderBy !== 'function'
              ? ['orderBy is no function', 'Pass one that gives each event a key, or nothing.']
              : undefined
      if (wrong) {
        const [what, remediation] = wrong as [string, string]
        throw new SfStreamError({ code: 'bad_option', message: `process(): ${what}.`, remediation, channel: channel.name })
      }
      claim()
      inProcess = true
      const close = (): void => end('closed', events.close)
      processing = processEvents<T>({
        pull: () => events.next(),
        close,
        handler,
        waits(event) {
          ahead++
          delivered--
          bytes += DeliveredEvent.bytes(event as DeliveredEvent<T>)
          if (attached && subscription.full) channel.filled()
        },
        resumed(event) {
          ahead--
          handedOut(event as DeliveredEvent<T>)
        },
        finished: (event) => {
          if (autoCommit) DeliveredEvent.finish(event as DeliveredEvent<T>)
        },
        concurrency,
        orderBy,
      })
      return processing.done.finally(close)
    },
    toReadableStream() {
      const events = subscription[Symbol.asyncIterator]()
      return new ReadableStream<StreamEvent<T>>(
        {
          async pull(controller) {
            const { done, value } = await events.next()
            if (done) controller.close()
            else controller.enqueue(value)
          },
          cancel: () => void events.return?.(),
        },
        { highWaterMark: 0 },
      )
    },
    close() {
      end('closed', events.close)
      return conclude()
    },
    [Symbol.asyncDispose]: () => subscription.close(),

    get claimed() {
      return claimed
    },
    take: () => events.take(),
    takeEnd: () => events.takeEnd(),
    giveBack(event) {
      // Closed meanwhile: it comes again with the next subscription. Committed: not any more.
      if (ended === 'closed' || ended === 'aborted' || DeliveredEvent.isFinished(event)) return
      bytes += DeliveredEvent.bytes(event)
      delivered--
      events.putBack([event as DeliveredEvent<T>])
    },
    keepPositions(writer) {
      current = ledger(channel.name, writer, eased)
      ledgers.push(current)
    },
    rested: () => current?.rested(),
    finish() {
      detach('stopped')
      afterChecks(() => endAfterBuffer(events.finish))
    },
    abort(reason) {
      if (ended === 'closed' || aborted) return
      aborted = true
      ready.reject(reason)
      processing?.abort(reason)
      end('aborted', () => events.abort(reason))
    },

    receive(message, fields, size, drop) {
      received++
      const slot = current?.received(fields.replayId, fields.createdDate)
      if (drop) {
        if (slot) current?.finish(slot)
        return
      }
      bytes += size
      draining?.stirred()
      const event = new DeliveredEvent<T>(message, fields, size, current, slot)
      if (checking) checking.run(() => check(event))
      else admit(event)
    },
    replyEnded: (openId) => current?.replyEnded(openId),
    repeated() {
      duplicates++
    },
    accepted() {
      ready.resolve()
      draining?.stirred()
    },
    fail(error) {
      if (!attached) return
      failAfterBuffer(error)
      afterChecks(() => endAfterBuffer(() => events.fail(error)))
    },
    room: (coming) =>
      Math.min(
        maxBuffered - subscription.buffered,
        maxUncommitted - uncommitted(),
        bytes + coming > maxBytes ? 0 : Number.POSITIVE_INFINITY,
      ),
    get full() {
      return subscription.buffered > maxBuffered || bytes > maxBytes || uncommitted() > maxUncommitted
    },
    get drained() {
      return subscription.buffered <= maxBuffered / 4 && bytes <= maxBytes / 4 && uncommitted() <= maxUncommitted / 2
    },
    get waiting() {
      return events.parked || (!claimed && attached && parts.mergedWaits())
    },
    get buffered() {
      return events.size + (checking?.size ?? 0) + ahead
    },
  }
  if (options.until) {
    const quiet = (): boolean => channel.live && subscription.buffered === 0 && inHand.length + (processing?.running ?? 0) === 0
    // What is buffered beyond the end is dropped: it was not asked for, and comes again.
    draining = drain(options.until, platform, quiet, (why) => {
      detach(why)
      drop()
      endAfterBuffer(events.close)
    })
  }
  const { signal } = options
  if (signal) removeAbort = onAbort(signal, () => subscription.abort(signal.reason))
  return subscription
}
