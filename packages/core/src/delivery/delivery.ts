import type { ClientStatus } from '../client-status.ts'
import { StateError } from '../errors.ts'
import { checkedReplayId } from '../events/replay-id.ts'
import type { StreamEvent } from '../events/stream-event.ts'
import type { CommonOptions, SubscribeOptions } from '../options.ts'
import type { Platform } from '../platform.ts'
import type { Source } from '../source/source.ts'
import { ChannelStream } from './channel-stream.ts'
import { LiveSubscription } from './live-subscription.ts'
import { MergedEvents } from './merged-events.ts'
import { Positions } from './positions.ts'
import { Pressure } from './pressure.ts'
import type { Subscription } from './subscription.ts'

export interface DeliveryParts {
  readonly source: Source
  readonly platform: Platform
  readonly options: CommonOptions
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

/** What the streams and subscriptions of a client share. */
export interface Shared extends DeliveryParts {
  readonly autoCommit: boolean
  readonly positions: Positions | undefined
  readonly pressure: Pressure
  /** All that somebody can get anything from. A channel is open while one of its own is attached to it. */
  readonly subscriptions: readonly LiveSubscription[]
  /** Once `events()` has been called. */
  readonly merged: MergedEvents | undefined
  /** Channels that were replayed in full for want of a position. */
  readonly gapsReplayed: string[]
  /** Nobody can get anything from it any more. */
  over(subscription: LiveSubscription): void
}

export function delivery(parts: DeliveryParts): Delivery {
  return new ClientDelivery(parts)
}

class ClientDelivery implements Delivery, Shared {
  readonly source: Source
  readonly platform: Platform
  readonly options: CommonOptions
  readonly report: (status: ClientStatus) => void
  readonly autoCommit: boolean
  readonly positions: Positions | undefined
  readonly pressure: Pressure = new Pressure(this)
  readonly gapsReplayed: string[] = []
  subscriptions: readonly LiveSubscription[] = []
  merged: MergedEvents | undefined

  constructor({ source, platform, options, report }: DeliveryParts) {
    this.source = source
    this.platform = platform
    this.options = options
    this.report = report
    this.autoCommit = options.commit !== 'manual'
    if (options.replayStore) this.positions = new Positions(options.replayStore, platform, report)
  }

  subscribe<T>(channel: string, options: SubscribeOptions<T>): Subscription<T> {
    const shared = this.subscriptions.find((each) => each.attached && each.channel === channel)?.stream
    const replay = this.#checked(channel, options.replay, shared)
    const stream = shared ?? new ChannelStream(channel, replay, this)
    const subscription = new LiveSubscription(stream, options, this)
    if (subscription.attached) {
      this.subscriptions = this.subscriptions.concat(subscription)
      stream.join(subscription)
      if (!shared) stream.start(subscription)
    }
    return subscription as Subscription as Subscription<T>
  }

  async unsubscribe(channel: string): Promise<void> {
    await Promise.all(this.subscriptions.map((each) => (each.channel === channel ? each.close() : undefined)))
  }

  events(): AsyncIterableIterator<StreamEvent> {
    this.merged ??= new MergedEvents(this)
    return this.merged.iterator()
  }

  askStop(): void {
    for (const subscription of this.subscriptions) subscription.finish()
    this.merged?.finish()
  }

  async close(): Promise<void> {
    const closed = this.subscriptions.map((subscription) => subscription.close())
    this.merged?.end()
    await Promise.allSettled(closed)
    // What a handler finished after its subscription was closed is still to be saved; and of failures, the last word counts.
    await this.positions?.flush()
  }

  abort(reason: unknown): void {
    for (const subscription of this.subscriptions) subscription.abort(reason)
    this.merged?.end({ reason })
  }

  over(subscription: LiveSubscription): void {
    this.subscriptions = this.subscriptions.filter((each) => each !== subscription)
    this.merged?.forget(subscription)
  }

  /** Where a subscription may begin that shares a channel, or opens it. @throws ReplayError `bad_replay`, StateError `channel_in_use` */
  #checked(channel: string, given: SubscribeOptions['replay'], shared: ChannelStream | undefined): SubscribeOptions['replay'] {
    const replay = given === undefined || ['stored', 'new', 'all', 'off'].includes(given as string) ? given : checkedReplayId(given)
    if (!shared || replay === 'new') return replay
    // The one that kept the position has gone: to begin at 'new' in its place would lose events without a word.
    const why = replay !== undefined ? `begin at '${replay}'` : this.positions && !shared.keeper && 'resume from the stored position'
    if (!why) return replay
    throw new StateError({
      code: 'channel_in_use',
      message: `${channel} is subscribed already, and a second subscription cannot ${why}.`,
      remediation: "Use replay: 'new', or a second client.",
      channel,
    })
  }
}
