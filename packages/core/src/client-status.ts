import type { SfStreamError } from './errors.ts'
import type { ReplayId } from './events/stream-event.ts'
import type { StartPosition } from './source/source.ts'
import type { SourceState, SourceStatus } from './source/source-status.ts'

export type ClientState = SourceState

/** Everything `status()` can say. Life-cycle never enters the event stream; it goes here. */
export type ClientStatus =
  | SourceStatus
  /** A payload did not pass the subscription's schema and was skipped. */
  | { type: 'invalidEvent'; channel: string; replayId: ReplayId | undefined; issues: string }
  /** A channel is subscribed again after a lost session or a pause. */
  | { type: 'resubscribed'; channel: string; from: StartPosition }
  /** A full buffer: the channel is unsubscribed (`wire`) or the next poll held (`held`) until there is room. */
  | { type: 'paused'; channel: string; buffered: number; how: 'held' | 'wire' }
  /** The consumer is more than half the org's retention behind. */
  | { type: 'lagging'; channel: string; lagMs: number; retentionMs: number }
  /** A subscription has ended with an error; its iterator rejects with it too. */
  | { type: 'subscriptionFailed'; channel: string; error: unknown }
  /** A position could not be saved; it is tried again, and nothing is delivered less because of it. */
  | { type: 'storeFailed'; channel: string; error: SfStreamError }
