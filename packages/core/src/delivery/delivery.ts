import { deadlineReached, withDeadline } from '../async/with-deadline.ts'
import type { ClientStatus } from '../client-status.ts'
import { ReplayError, SfStreamError, StateError } from '../errors.ts'
import { checkedReplayId } from '../events/replay-id.ts'
import type { StreamEvent } from '../events/stream-event.ts'
import type { CommonOptions, SubscribeOptions } from '../options.ts'
import type { Platform } from '../platform.ts'
import type { Source, StartPosition } from '../source/source.ts'
import { type ChannelStream, channelStream } from './channel-stream.ts'
import { type ChannelSubscription, channelSubscription } from './channel-subscription.ts'
import { type MergedEvents, mergedEvents } from './merged-events.ts'
import { type PositionWriter, positionWriter } from './position-writer.ts'
import { pressure } from './pressure.ts'
import type { ReplayKey, ReplayStore } from './replay-store.ts'
import type { Subscription } from './subscription.ts'

/** A store that has not answered by then will not be waited for in silence. */
const maxLoadMs = 30_000

export interface DeliveryParts {
  source: Source
  platform: Platform
  options: CommonOptions
  report(status: ClientStatus): void
}

/** Everything above a Source: which channels are open, for whom, from where. */
export interface Delivery {
  /** `channel` is checked by the caller. */
  subscribe<T>(channel: string, options: SubscribeOptions<T>): Subscription<T>
  unsubscribe(channel: string): Promise<void>
  events(): AsyncIterableIterator<StreamEvent>
  askStop(): void
  /** Resolves when every position is durable. */
  close(): Promise<void>
  abort(reason: unknown): void
}

export function delivery({ source, platform, options, report }: DeliveryParts): Delivery {
  const { replayStore: store, commit = 'auto', replayFallback = 'all', gap = 'replay', consumer = 'default' } = options
  const streams = new Map<string, ChannelStream>()
  const subscriptions = new Set<ChannelSubscription>()
  const merges = new Set<MergedEvents>()
  const neverAborted = new AbortController().signal
  const backpressure = pressure(source, platform, streams, report)

  const offer = (subscription: ChannelSubscription): void => {
    // A loop that the caller is about to start comes first.
    void Promise.resolve().then(() => {
      for (const merge of merges) merge.offer(subscription)
    })
  }

  /** A store may also throw, or answer without a promise. */
  const load = (key: ReplayKey): Promise<Awaited<ReturnType<ReplayStore['load']>>> => {
    try {
      return Promise.resolve(store?.load(key))
    } catch (cause) {
      return Promise.reject(cause)
    }
  }

  /** Loads the position, and has `opened` told of the org it belongs to. */
  const begin = async (
    channel: string,
    replay: SubscribeOptions['replay'],
    org: string,
    opened: (key: ReplayKey) => void,
  ): Promise<StartPosition> => {
    const key: ReplayKey = { org, channel, consumer }
    opened(key)
    if (replay !== undefined && replay !== 'stored') return replay
    if (!store) return 'new'
    try {
      const stored = await withDeadline(maxLoadMs, { signal: neverAborted, platform }, () => load(key))
      if (stored === 'all' || stored === 'new') return stored
      if (stored) return checkedReplayId(stored.replayId)
      const others = (await store.orgs?.(key)) ?? []
      if (others.length > 0) report({ type: 'replayGap', channel, reason: 'unknown-org', from: undefined, to: 'new' })
      return 'new'
    } catch (cause) {
      if (cause instanceof SfStreamError) throw cause
      throw new ReplayError({
        code: 'store_unreadable',
        message: `The stored position of ${channel} could not be read: ${cause === deadlineReached ? 'no answer within 30 s' : cause instanceof Error ? cause.message : String(cause)}.`,
        remediation: "Mend the replay store, or choose where to begin: replay: 'all', 'new' or an id.",
        channel,
        cause,
      })
    }
  }

  const checked = (channel: string, given: SubscribeOptions['replay']): SubscribeOptions['replay'] => {
    const replay = given === undefined || ['stored', 'new', 'all', 'off'].includes(given as string) ? given : checkedReplayId(given)
    if (streams.has(channel) && replay !== undefined && replay !== 'new') {
      throw new StateError({
        code: 'channel_in_use',
        message: `${channel} is subscribed already, and a second subscription cannot begin at '${replay}'.`,
        remediation: "Use replay: 'new', or a second client.",
        channel,
      })
    }
    return replay
  }

  const openStream = (
    channel: string,
    replay: SubscribeOptions['replay'],
    opened: (key: ReplayKey, moved: boolean) => void,
  ): ChannelStream => {
    const stream = channelStream(channel, {
      source,
      platform,
      replayFallback,
      gap,
      report,
      begin: (org, changedFrom) =>
        begin(channel, changedFrom === undefined ? replay : 'stored', org, (key) => opened(key, changedFrom !== undefined)),
      pressure: backpressure.check,
      ended: (ended) => {
        backpressure.forget(ended)
        if (streams.get(channel) === ended) streams.delete(channel)
      },
    })
    streams.set(channel, stream)
    return stream
  }

  return {
    subscribe<T>(channel: string, subscribeOptions: SubscribeOptions<T>): Subscription<T> {
      const replay = checked(channel, subscribeOptions.replay)
      let writer: PositionWriter | undefined
      const shared = streams.get(channel)
      // The first subscription of a channel keeps its position; one that shares it stores nothing of its own.
      const stream =
        shared ??
        openStream(channel, replay, (key) => {
          writer?.close()
          writer = store ? positionWriter(store, key, platform, (error) => report({ type: 'storeFailed', channel, error })) : undefined
        })
      const subscription: ChannelSubscription<T> = channelSubscription<T>({
        channel: stream,
        platform,
        options: subscribeOptions,
        autoCommit: commit === 'auto',
        writer: () => writer,
        report,
        concluded: () => subscriptions.delete(known),
      })
      const known = subscription as ChannelSubscription
      subscriptions.add(known)
      known.onReceived = () => offer(known)
      if (subscribeOptions.signal?.aborted) {
        // A stream that nobody starts would keep its channel's name from everybody else.
        if (!shared) streams.delete(channel)
        return subscription
      }
      stream.join(known)
      if (!shared) stream.start()
      subscription.ready.catch((error: unknown) => {
        if (!(error instanceof StateError) && !subscribeOptions.signal?.aborted) report({ type: 'subscriptionFailed', channel, error })
      })
      return subscription
    },

    async unsubscribe(channel) {
      const closing = [...subscriptions].filter((subscription) => subscription.channel === channel)
      await Promise.all(closing.map((subscription) => subscription.close()))
    },

    events() {
      const merge = mergedEvents(commit === 'auto', () => merges.delete(merge))
      merges.add(merge)
      for (const subscription of subscriptions) if (!subscription.claimed && subscription.buffered > 0) offer(subscription)
      return merge.iterator
    },

    askStop() {
      for (const subscription of subscriptions) subscription.finish()
      for (const merge of merges) merge.stopWhenEmpty()
    },

    async close() {
      const results = await Promise.allSettled([...subscriptions].map((subscription) => subscription.close()))
      subscriptions.clear()
      for (const merge of [...merges]) merge.finish()
      for (const result of results) if (result.status === 'rejected') throw result.reason
    },

    abort(reason) {
      for (const subscription of subscriptions) subscription.abort(reason)
      for (const merge of merges) merge.abort(reason)
    },
  }
}
