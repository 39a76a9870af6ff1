import type { Subscription } from '../delivery/subscription.ts'
import type { ReplayId, StreamEvent } from '../events/stream-event.ts'
import type { WindowEvent } from './event-window.ts'

/** What one event is in a window. */
export type Wrap<T> = (event: StreamEvent) => { value: T; bytes: number }

/** Handed out at once at most: a backlog must not become one batch. */
const maxBatch = 500
const maxBatchBytes = 1_048_576

/**
 * A subscription's events as they belong together: the position moves with the last event of a replay id only, which is known once
 * another id has followed, or everything received has been handed out. (Enriched change events share an id.)
 */
export async function* eventBatches<T>(subscription: Subscription, wrap: Wrap<T>): AsyncGenerator<WindowEvent<T>[], void> {
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
    const isAll = subscription.stats.buffered === 0
    if (isAll) (batch.at(-1) as WindowEvent<T>).position = id
    else if (batch.length < 2 || (batch.length < maxBatch && bytes < maxBatchBytes)) continue
    // The last of a full batch may have siblings: it waits for what follows.
    const held = isAll ? [] : batch.splice(-1)
    yield batch
    batch = held
    bytes = 0
  }
  const last = batch.at(-1)
  if (last) {
    last.position = id
    yield batch
  }
}
