import { monotonicMs } from '../monotonic.ts'
import { seededRandom } from '../stats/random.ts'
import type { EventBatch } from './event-batch.ts'
import type { Arrivals } from './plan.ts'
import type { Session } from './sessions.ts'

/** A timer of Node fires by the millisecond; the rest of the way is waited for turn by turn, or arrivals would come in steps. */
const timerMs = 1.5

/** Publishes single events to every session, at times drawn from the seed. */
export async function arrive({ count, meanMs, seed }: Arrivals, sessions: ReadonlyMap<string, Session>, batch: EventBatch): Promise<void> {
  const random = seededRandom(seed)
  let dueMs = monotonicMs()
  for (let at = 0; at < count; at++) {
    dueMs -= meanMs * Math.log(random())
    for (let leftMs = dueMs - monotonicMs(); leftMs > 0; leftMs = dueMs - monotonicMs()) {
      await new Promise((resolve) => (leftMs > timerMs ? setTimeout(resolve, leftMs - timerMs) : setImmediate(resolve)))
    }
    for (const session of sessions.values()) {
      const bytes = batch.fill(session.next++, Math.round(monotonicMs() * 1_000))
      if (session.held) session.held(bytes, 1)
      else session.queued.push({ bytes, count: 1 })
    }
  }
}
