import type { Ending } from '../async/queue.ts'
import type { ClientStatus } from '../client-status.ts'
import type { SubscribeOptions } from '../options.ts'
import type { Platform } from '../platform.ts'
import type { DeliveredEvent } from './delivered-event.ts'
import type { Channel, Member } from './member.ts'
import type { PositionWriter } from './position-writer.ts'
import type { Subscription } from './subscription.ts'

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
