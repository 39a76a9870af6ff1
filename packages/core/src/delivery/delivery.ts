import type { ClientStatus } from '../client-status.ts'
import { StateError } from '../errors.ts'
import { checkedReplayId } from '../events/replay-id.ts'
import type { StreamEvent } from '../events/stream-event.ts'
import type { CommonOptions, SubscribeOptions } from '../options.ts'
import type { Platform } from '../platform.ts'
import type { Source, StartPosition } from '../source/source.ts'
import { type ChannelStream, channelStream } from './channel-stream.ts'
import type { ChannelSubscription } from './channel-subscription.ts'
import { liveSubscription } from './live-subscription.ts'
import type { Channel } from './member.ts'
import { mergedEvents } from './merged-events.ts'
import { type Positions, positions } from './positions.ts'
import { pressure } from './pressure.ts'
import type { ReplayKey } from './replay-store.ts'
import type { Subscription } from './subscription.ts'

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
  const { replayStore, commit = 'auto', replayFallback = 'all', gap = 'replay', consumer = 'default' } = options
  const autoCommit = commit === 'auto'
  const streams = new Map<string, ChannelStream>()
  /** The subscription of each open channel that keeps its positions; one that shares the channel stores nothing. */
  const keepers = new Map<ChannelStream, ChannelSubscription>()
  const subscriptions = new Set<ChannelSubscription>()
  const gapsReplayed = new Set<string>()
  const stored: Positions | undefined = replayStore ? positions(replayStore, platform, report) : undefined
  const backpressure = pressure(source, platform, streams, report)
  const merged = mergedEvents({ autoCommit, subscriptions, parked: () => backpressure.consumerWaits() })

  /** Where to begin in `org`; from then on positions are kept there. */
  const begin = async (
    stream: ChannelStream,
    replay: SubscribeOptions['replay'],
    org: string,
    moved: boolean,
    signal: AbortSignal,
  ): Promise<StartPosition> => {
    const channel = stream.name
    const key: ReplayKey = { org, channel, consumer }
    let position: StartPosition | undefined
    if (replay !== undefined && replay !== 'stored') position = replay
    else if (stored) {
      position = await stored.load(key, signal)
      const isKnown = position !== undefined && position !== 'all' && position !== 'new'
      if (!isKnown && !moved && (await stored.isKnownElsewhere(key, signal))) {
        report({ type: 'replayGap', channel, reason: 'unknown-org', from: undefined, to: position ?? 'new' })
      }
      signal.throwIfAborted()
    }
    if (stored) keepers.get(stream)?.keepPositions(stored.writer(key))
    return position ?? 'new'
  }

  const checked = (channel: string, given: SubscribeOptions['replay']): SubscribeOptions['replay'] => {
    const replay = given === undefined || ['stored', 'new', 'all', 'off'].includes(given as string) ? given : checkedReplayId(given)
    const shared = streams.get(channel)
    if (!shared || replay === 'new') return replay
    const cannot = (why: string): StateError =>
      new StateError({
        code: 'channel_in_use',
        message: `${channel} is subscribed already, and a second subscription ${why}.`,
        remediation: "Use replay: 'new', or a second client.",
        channel,
      })
    if (replay !== undefined) throw cannot(`cannot begin at '${replay}'`)
    // The one that kept the position has gone: to begin at 'new' in its place would lose events without a word.
    if (stored && !shared.members.has(keepers.get(shared) as ChannelSubscription)) throw cannot('cannot resume from the stored position')
    return replay
  }

  const openStream = (channel: string, replay: SubscribeOptions['replay']): ChannelStream => {
    const stream: ChannelStream = channelStream(channel, {
      source,
      platform,
      replayFallback,
      gap,
      report,
      begin: (org, changedFrom, signal) =>
        begin(stream, changedFrom === undefined ? replay : replay === 'off' ? 'off' : 'stored', org, changedFrom !== undefined, signal),
      mayReplayGap() {
        const may = !gapsReplayed.has(channel)
        gapsReplayed.add(channel)
        return may
      },
      pressure: backpressure,
      ended(ended) {
        backpressure.forget(ended)
        keepers.delete(ended)
        if (streams.get(channel) === ended) streams.delete(channel)
      },
    })
    streams.set(channel, stream)
    return stream
  }

  const make = <T>(channel: Channel, subscribeOptions: SubscribeOptions<T>): ChannelSubscription =>
    liveSubscription<T>({
      channel,
      platform,
      options: subscribeOptions,
      autoCommit,
      report,
      unclaimed: (subscription) => merged.offer(subscription),
      mergedWaits: () => merged.parked,
      over(subscription) {
        subscriptions.delete(subscription)
        merged.forget(subscription)
      },
    }) as ChannelSubscription

  return {
    subscribe<T>(channel: string, subscribeOptions: SubscribeOptions<T>): Subscription<T> {
      const replay = checked(channel, subscribeOptions.replay)
      if (subscribeOptions.signal?.aborted) return make(closedChannel(channel), subscribeOptions) as Subscription<T>
      const shared = streams.get(channel)
      const stream = shared ?? openStream(channel, replay)
      const subscription = make(stream, subscribeOptions)
      subscriptions.add(subscription)
      stream.join(subscription)
      if (!shared) {
        keepers.set(stream, subscription)
        stream.start()
      }
      return subscription as Subscription<T>
    },

    async unsubscribe(channel) {
      const closing = [...subscriptions].filter((subscription) => subscription.channel === channel)
      await Promise.all(closing.map((subscription) => subscription.close()))
    },

    events: () => merged.iterator(),

    askStop() {
      for (const subscription of [...subscriptions]) subscription.finish()
      merged.finish()
    },

    async close() {
      const closed = [...subscriptions].map((subscription) => subscription.close())
      merged.close()
      await Promise.allSettled(closed)
      // What a handler finished after its subscription was closed is still to be saved; and of failures, the last word counts.
      await stored?.flush()
    },

    abort(reason) {
      for (const subscription of [...subscriptions]) subscription.abort(reason)
      merged.abort(reason)
    },
  }
}

/** Where nothing is ever received: what a subscription with an aborted signal gets. */
function closedChannel(name: string): Channel {
  const nothing = (): void => {}
  return { name, live: false, now: () => 0, pressed: false, filled: nothing, eased: nothing, parked: nothing, leave: nothing }
}
