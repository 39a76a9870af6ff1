import { deadlineReached, withDeadline } from '../async/with-deadline.ts'
import type { ClientStatus } from '../client-status.ts'
import { ReplayError, SfStreamError, textOf } from '../errors.ts'
import { checkedReplayId } from '../events/replay-id.ts'
import type { Platform } from '../platform.ts'
import type { StartPosition } from '../source/source.ts'
import { type PositionWriter, positionWriter } from './position-writer.ts'
import type { ReplayKey, ReplayStore } from './replay-store.ts'

/** A store that does not answer a load within this is unreadable: waiting longer would be silence. */
const loadLimitMs = 30_000

/** A client's positions: one writer per key, whoever uses it, so that no two saves of a key are ever in flight. */
export interface Positions {
  /**
   * Where to begin; undefined where the store knows nothing.
   * @throws ReplayError `store_unreadable`, or the signal's reason
   */
  load(key: ReplayKey, signal: AbortSignal): Promise<StartPosition | undefined>
  /** Whether the store holds positions of this channel and consumer for other orgs. */
  isKnownElsewhere(key: ReplayKey, signal: AbortSignal): Promise<boolean>
  /** The key's writer, opened; the caller closes it. */
  writer(key: ReplayKey): PositionWriter
  /** Resolves when every position is durable. @throws ReplayError `store_failed` */
  flush(): Promise<void>
}

export function positions(store: ReplayStore, platform: Platform, report: (status: ClientStatus) => void): Positions {
  const writers = new Map<string, PositionWriter>()
  const nameOf = ({ org, channel, consumer }: ReplayKey): string => JSON.stringify([org, channel, consumer])

  const unreadable = ({ channel }: ReplayKey, cause: unknown): ReplayError =>
    new ReplayError({
      code: 'store_unreadable',
      message: `The stored position of ${channel} could not be read: ${
        cause === deadlineReached ? `no answer within ${loadLimitMs} ms` : textOf(cause)
      }.`,
      remediation: "Mend the replay store, or choose where to begin: replay: 'all', 'new' or an id.",
      channel,
      cause,
    })

  return {
    async load(key, signal) {
      // Finished in this process, and not durable yet: newer than what the store would say.
      const pending = writers.get(nameOf(key))?.pending
      if (pending) return pending.replayId
      try {
        const stored = await withDeadline(loadLimitMs, { signal, platform }, async () => store.load(key))
        if (stored === undefined || stored === null) return undefined
        return stored === 'all' || stored === 'new' ? stored : checkedReplayId(stored.replayId)
      } catch (cause) {
        if (signal.aborted || (cause instanceof SfStreamError && cause.code === 'store_unreadable')) throw cause
        throw unreadable(key, cause)
      }
    },
    async isKnownElsewhere(key, signal) {
      if (!store.orgs) return false
      try {
        const orgs = await withDeadline(loadLimitMs, { signal, platform }, async () => store.orgs?.(key))
        return (orgs ?? []).some((org) => org !== key.org)
      } catch {
        // Only a hint: not knowing is no reason to stop.
        return false
      }
    },
    writer(key) {
      const name = nameOf(key)
      let writer = writers.get(name)
      if (!writer) {
        writer = positionWriter(store, key, platform, (error) => report({ type: 'storeFailed', channel: key.channel, error }))
        writers.set(name, writer)
      }
      return writer
    },
    async flush() {
      const results = await Promise.allSettled([...writers.values()].map((writer) => writer.flush()))
      for (const result of results) if (result.status === 'rejected') throw result.reason
    },
  }
}
