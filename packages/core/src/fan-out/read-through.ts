import type { HubNeeds, Subscription } from '../delivery/subscription.ts'
import type { StreamingClient } from '../streaming-client.ts'

/**
 * A subscription whose events are read on elsewhere, and finished there: it stores no position, whatever store its client has. That may
 * be the very one, under the very key, that a reader keeps its own in.
 */
export function readThrough(client: StreamingClient, ...how: Parameters<StreamingClient['subscribe']>): Subscription & Partial<HubNeeds> {
  const subscription: Subscription & Partial<HubNeeds> = client.subscribe(...how)
  const { stream } = subscription
  // Another subscription of the client may be the one that keeps the channel's position.
  if (stream && stream.keeper === subscription) stream.keeper = undefined
  return subscription
}
