import type { HubNeeds, Subscription } from '../delivery/subscription.ts'
import type { ReplayId, StreamEvent } from '../events/stream-event.ts'
import type { WindowEvent } from './event-window.ts'

/** What one event is in a window. */
export type Wrap<T> = (event: StreamEvent) => { value: T; bytes: number }

/** Handed out at once at most: a backlog must not become one batch. */
const maxBatch = 500
const maxBatchBytes = 1_048_576

/**
 * A subscription's events as they belong together: the position moves with the last event of a replay id only, which is known once
 * another id has followed, or everything received has been handed out. (Enriched change events share an id.) Of an id that a drain ended
 * amid, nothing is handed out: its events come again with those that were dropped.
 */
export async function* eventBatches<T>(
  subscription: Subscription & Partial<HubNeeds>,
  wrap: Wrap<T>,
): AsyncGenerator<WindowEvent<T>[], void> {
  let batch: WindowEvent<T>[] = []
  let bytes = 0
  let id: ReplayId | undefined
  for await (const event of subscription) {
    const previous = batch.at(-1)
    if (previous && id !== undefined && event.replayId !== id) previous.position = id
    id = event.replayId
    const wrapped = wrap(event)
    bytes += wrapped.bytes
    batch.push({ type: 'event', position: undefined, ...wrapped })
    const { buffered, ended } = subscription.stats
    // A drain that is over has dropped what was buffered.
    const isAll = buffered === 0 && ended === undefined
    // Where the reply broke off amid them, more events of the id may come. [PROTOCOL D4]
    if (isAll && subscription.openId !== id) (batch.at(-1) as WindowEvent<T>).position = id
    else if (!isAll && (batch.length < 2 || (batch.length < maxBatch && bytes < maxBatchBytes))) continue
    // The last of a full batch may have siblings: it waits for what follows.
    const held = isAll ? [] : batch.splice(-1)
    yield batch
    batch = held
    bytes = 0
  }
  while (batch.length > 0 && batch.at(-1)?.position === undefined) batch.pop()
  if (batch.length > 0) yield batch
}
