import { deadlineReached, withDeadline } from '../async/with-deadline.ts'
import type { ClientStatus } from '../client-status.ts'
import { ReplayError, SfStreamError, textOf } from '../errors.ts'
import { checkedReplayId } from '../events/replay-id.ts'
import type { Platform } from '../platform.ts'
import type { StartPosition } from '../source/source.ts'
import { PositionWriter } from './position-writer.ts'
import { isSameKey, type ReplayKey, type ReplayStore } from './replay-store.ts'

/** A store that does not answer a load within this is unreadable: waiting longer would be silence. */
const loadLimitMs = 30_000

/** A client's positions: one writer per key, whoever uses it, so that no two saves of a key are ever in flight. */
export class Positions {
  readonly #store: ReplayStore
  readonly #platform: Platform
  readonly #report: (status: ClientStatus) => void
  readonly #writers: PositionWriter[] = []

  constructor(store: ReplayStore, platform: Platform, report: (status: ClientStatus) => void) {
    this.#store = store
    this.#platform = platform
    this.#report = report
  }

  /**
   * Where to begin; undefined where the store knows nothing.
   * @throws ReplayError `store_unreadable`, or the signal's reason
   */
  async load(key: ReplayKey, signal: AbortSignal): Promise<StartPosition | undefined> {
    // Finished in this process, and not durable yet: newer than what the store would say.
    const pending = this.#writers.find((writer) => isSameKey(writer.key, key))?.pending
    if (pending) return pending.replayId
    try {
      const stored = await this.#within(signal, async () => this.#store.load(key))
      if (stored === undefined || stored === null) return undefined
      return stored === 'all' || stored === 'new' ? stored : checkedReplayId(stored.replayId)
    } catch (cause) {
      if (signal.aborted || (cause instanceof SfStreamError && cause.code === 'store_unreadable')) throw cause
      const { channel } = key
      throw new ReplayError({
        code: 'store_unreadable',
        message: `The stored position of ${channel} could not be read: ${
          cause === deadlineReached ? `no answer within ${loadLimitMs} ms.` : textOf(cause)
        }`,
        remediation: "Mend the replay store, whose load() gives { replayId }, or choose replay: 'all', 'new' or an id.",
        channel,
        cause,
      })
    }
  }

  /** Whether the store holds positions of this channel and consumer for other orgs. */
  async isKnownElsewhere(key: ReplayKey, signal: AbortSignal): Promise<boolean> {
    if (!this.#store.orgs) return false
    try {
      const orgs = await this.#within(signal, async () => this.#store.orgs?.(key))
      return (orgs ?? []).some((org) => org !== key.org)
    } catch {
      // Only a hint: not knowing is no reason to stop.
      return false
    }
  }

  /** The key's writer; the caller opens and closes it. */
  writer(key: ReplayKey): PositionWriter {
    let writer = this.#writers.find((each) => isSameKey(each.key, key))
    if (!writer) {
      writer = new PositionWriter(key, this.#store, this.#platform, ({ channel }, error) =>
        this.#report({ type: 'storeFailed', channel, error }),
      )
      this.#writers.push(writer)
    }
    return writer
  }

  /** Resolves when every position is durable. @throws ReplayError `store_failed` */
  async flush(): Promise<void> {
    await allSettled(this.#writers.map((writer) => writer.flush()))
  }

  #within<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return withDeadline(loadLimitMs, { signal, platform: this.#platform }, work)
  }
}

/** Waits for all, whatever becomes of some. @throws what the first of them rejected with */
export async function allSettled(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason
}
