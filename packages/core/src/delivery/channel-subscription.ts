import { type Deferred, deferred } from '../async/deferred.ts'
import { queue } from '../async/queue.ts'
import { onAbort } from '../async/signals.ts'
import { StateError } from '../errors.ts'
import { dateMs } from '../events/event-fields.ts'
import type { StreamEvent } from '../events/stream-event.ts'
import type { SubscribeOptions } from '../options.ts'
import type { Platform } from '../platform.ts'
import { DeliveredEvent } from './delivered-event.ts'
import { type Drain, drain } from './drain.ts'
import { lowWaterMark, type Slot } from './low-water-mark.ts'
import type { Channel, Member } from './member.ts'
import type { PositionWriter } from './position-writer.ts'
import { processEvents } from './process-events.ts'
import { validator } from './schema-validator.ts'
import type { Subscription, SubscriptionStats } from './subscription.ts'

export interface ChannelSubscriptionParts<T> {
  channel: Channel
  platform: Platform
  options: SubscribeOptions<T>
  autoCommit: boolean
  /** Undefined where nothing is stored, and until the org is known. */
  writer(): PositionWriter | undefined
  report: Parameters<typeof validator>[1]
  /** Nothing of it is left to do: everything finished is durable. */
  concluded(): void
}

/** A subscription as the client sees it: what users have, and what streams and `events()` need besides. */
export interface ChannelSubscription<T = unknown> extends Subscription<T>, Member {
  readonly claimed: boolean
  /** Takes the loop for `events()`. */
  claim(): void
  /** Lets go of the loop; events taken and not finished come again. */
  release(unfinished: readonly StreamEvent<T>[]): void
  /** A buffered event, or the end; undefined where there is nothing yet. The event before stays unfinished. */
  take(): Promise<IteratorResult<StreamEvent<T>> | undefined>
  finishEvent(event: StreamEvent<T>): void
  abort(reason: unknown): void
  /** Called when an event, or the end, is there. */
  onReceived: (() => void) | undefined
}

const defaultMaxBuffered = 1_000
const defaultMaxBufferedBytes = 8 * 1024 * 1024
/** Events handed out and never committed are remembered, so they are bounded too. */
const maxUncommitted = 10_000

export function channelSubscription<T>(parts: ChannelSubscriptionParts<T>): ChannelSubscription<T> {
  const { channel, platform, options } = parts
  const maxBuffered = options.maxBuffered ?? defaultMaxBuffered
  const maxBytes = options.maxBufferedBytes ?? defaultMaxBufferedBytes
  const mark = lowWaterMark()
  const ready: Deferred<void> = deferred()
  const commits: { slot: Slot; done: Deferred<void> }[] = []
  /** Handed out by `next()`, finished by the following one. */
  const inHand: DeliveredEvent<T>[] = []
  const givenBack: DeliveredEvent<T>[] = []
  let bytes = 0
  let received = 0
  let delivered = 0
  let duplicates = 0
  let lastDate: string | undefined
  let ended: string | undefined
  let claimed = false
  let attached = true
  let concluded: Promise<void> | undefined

  const events = queue<DeliveredEvent<T>>({
    taken(event) {
      bytes -= DeliveredEvent.slot(event).bytes
      delivered++
      lastDate = event.createdDate
      draining?.delivered(delivered, options.until ? dateMs(event.createdDate) : undefined)
      if (attached) channel.taken()
    },
  })

  // --- positions --------------------------------------------------------------------------------------------------

  const flush = (): Promise<void> => parts.writer()?.flush() ?? Promise.resolve()
  const moved = (): void => {
    const { position } = mark
    if (position) parts.writer()?.write(position)
    for (const waiting of commits.filter(({ slot }) => slot.covered)) {
      commits.splice(commits.indexOf(waiting), 1)
      flush().then(waiting.done.resolve, waiting.done.reject)
    }
  }
  const finish = (slot: Slot): void => {
    const before = mark.unfinished
    if (mark.finish(slot)) moved()
    // Nothing may be left to take, so a channel paused for what is uncommitted would hear of it from nowhere else.
    if (attached && before > maxUncommitted / 2 && mark.unfinished <= maxUncommitted / 2) channel.taken()
  }
  const commit = (slot: Slot): Promise<void> => {
    finish(slot)
    if (slot.covered) return flush()
    if (concluded) return Promise.reject(notCovered(channel.name))
    const done = deferred<void>()
    commits.push({ slot, done })
    return done.promise
  }
  const finishInHand = (): void => {
    if (parts.autoCommit) for (const event of inHand) finish(DeliveredEvent.slot(event))
    inHand.length = 0
  }

  // --- the end ----------------------------------------------------------------------------------------------------

  /** Takes nothing more from the channel. */
  const detach = (why: string): void => {
    if (!attached) return
    attached = false
    ended ??= why
    draining?.close()
    removeAbort()
    ready.reject(
      new StateError({
        code: 'client_stopped',
        message: `${channel.name} was closed.`,
        remediation: 'Subscribe again.',
        channel: channel.name,
      }),
    )
    channel.leave(subscription)
  }
  /** Nobody will finish another event: what is finished becomes durable. */
  const conclude = (): Promise<void> => {
    concluded ??= flush().finally(() => {
      parts.writer()?.close()
      for (const { done } of commits.splice(0)) done.reject(notCovered(channel.name))
    })
    concluded.then(parts.concluded, () => {})
    return concluded
  }
  const abort = (reason: unknown): void => {
    if (concluded) return
    events.abort(reason)
    ready.reject(reason)
    detach('aborted')
    void conclude().catch(() => {})
  }

  // --- handing out ------------------------------------------------------------------------------------------------

  const validate = options.schema ? validator(options.schema, parts.report, channel.name, options.onInvalid ?? 'throw') : undefined
  let validated: Promise<unknown> = Promise.resolve()

  const pull = (): Promise<IteratorResult<DeliveredEvent<T>>> => {
    const again = givenBack.shift()
    if (again) return Promise.resolve({ value: again, done: false })
    if (!validate) return events.next()
    const result = validated.then(async () => {
      for (;;) {
        const next = await valid(await events.next())
        if (next) return next
      }
    })
    validated = result.catch(() => {})
    return result
  }
  const take = async (): Promise<IteratorResult<DeliveredEvent<T>> | undefined> => {
    while (givenBack.length > 0 || events.size > 0 || !attached) {
      if (givenBack.length > 0 || !validate) return pull()
      const next = await valid(await events.next())
      if (next) return next
    }
    return undefined
  }
  /** The event with its payload checked; undefined where it is to be skipped. */
  const valid = async (next: IteratorResult<DeliveredEvent<T>>): Promise<IteratorResult<DeliveredEvent<T>> | undefined> => {
    if (next.done || !validate) return next
    const event = await validate(next.value)
    if (event) return { value: event as DeliveredEvent<T>, done: false }
    finish(DeliveredEvent.slot(next.value))
    return undefined
  }
  const over = (): void => {
    detach('closed')
    void conclude().catch(() => {})
  }
  /** Tells the result's end apart from an event, without a further turn for events. */
  const watched = (result: Promise<IteratorResult<DeliveredEvent<T>>>): Promise<IteratorResult<StreamEvent<T>>> => {
    result.then(
      (next) => {
        if (next.done) over()
        else inHand.push(next.value)
      },
      () => over(),
    )
    return result
  }
  const iterator: AsyncIterator<StreamEvent<T>> = {
    next() {
      finishInHand()
      return watched(pull())
    },
    return() {
      inHand.length = 0
      void events.return()
      over()
      return Promise.resolve({ value: undefined, done: true })
    },
  }
  const claimOnce = (): void => {
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

  const subscription: ChannelSubscription<T> = {
    channel: channel.name,
    ready: ready.promise,
    get stats() {
      const stats: SubscriptionStats = { received, delivered, duplicates, buffered: events.size + givenBack.length }
      const at = dateMs(lastDate)
      if (at !== undefined) stats.lagMs = platform.now() - at
      const saved = parts.writer()?.saved
      if (saved) stats.committed = saved.replayId
      if (ended !== undefined) stats.ended = ended
      return stats
    },
    [Symbol.asyncIterator]() {
      claimOnce()
      return iterator
    },
    process(handler, { concurrency = 1, orderBy } = {}) {
      claimOnce()
      const done = (event: StreamEvent<T>): void => {
        if (parts.autoCommit) subscription.finishEvent(event)
      }
      return processEvents(pull, handler, done, concurrency, orderBy).finally(() => {
        events.close()
        over()
      })
    },
    toReadableStream() {
      claimOnce()
      return new ReadableStream<StreamEvent<T>>(
        {
          async pull(controller) {
            const { done, value } = await iterator.next()
            if (done) controller.close()
            else controller.enqueue(value)
          },
          cancel: () => void iterator.return?.(),
        },
        { highWaterMark: 0 },
      )
    },
    close() {
      if (!concluded) {
        events.close()
        detach('closed')
      }
      return conclude()
    },
    async [Symbol.asyncDispose]() {
      await subscription.close()
    },

    get claimed() {
      return claimed
    },
    claim: claimOnce,
    release(unfinished) {
      claimed = false
      givenBack.unshift(...(unfinished as DeliveredEvent<T>[]))
    },
    take,
    finishEvent: (event) => finish(DeliveredEvent.slot(event as DeliveredEvent<T>)),
    abort,
    onReceived: undefined,

    receive(message, fields, size, drop) {
      received++
      const slot: Slot = { replayId: fields.replayId, createdDate: fields.createdDate, finished: false, covered: false, bytes: size }
      mark.received(slot)
      if (drop) return finish(slot)
      bytes += size
      draining?.received()
      events.push(new DeliveredEvent<T>(message, fields, slot, { commit }))
      subscription.onReceived?.()
    },
    replyEnded(openId) {
      if (mark.leaveOpen(openId)) moved()
    },
    repeated() {
      duplicates++
    },
    accepted: () => ready.resolve(),
    fail(error) {
      ready.reject(error)
      events.fail(error)
      detach('failed')
      subscription.onReceived?.()
    },
    finish() {
      events.finish()
      detach('stopped')
      subscription.onReceived?.()
    },
    room: () => Math.min(maxBuffered - events.size, maxUncommitted - mark.unfinished, bytes >= maxBytes ? 0 : Number.POSITIVE_INFINITY),
    get full() {
      return events.size > maxBuffered || bytes > maxBytes || mark.unfinished > maxUncommitted
    },
    get drained() {
      return events.size <= maxBuffered / 4 && bytes <= maxBytes / 4 && mark.unfinished <= maxUncommitted / 2
    },
    get waiting() {
      return events.parked
    },
    get buffered() {
      return events.size
    },
  }
  let removeAbort = (): void => {}
  const draining: Drain | undefined = options.until
    ? drain(
        options.until,
        platform,
        () => channel.live && events.size === 0 && inHand.length === 0,
        (why) => {
          ended ??= why
          events.finish()
          detach(why)
        },
      )
    : undefined
  // Last, because a signal may be aborted already.
  if (options.signal) removeAbort = onAbort(options.signal, () => abort(options.signal?.reason))
  return subscription
}

function notCovered(channel: string): StateError {
  return new StateError({
    code: 'client_stopped',
    message: `${channel} was closed before an earlier event was finished, so this one's position was not stored.`,
    remediation: 'Nothing: it comes again. Commit every event before closing to avoid that.',
    channel,
  })
}
