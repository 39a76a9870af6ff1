import type { ReplayId } from '../events/stream-event.ts'

/** Which position: one per org, channel and consumer. */
export interface ReplayKey {
  /** The first 15 characters of the org id where the token shows it, else the instance's host. */
  org: string
  channel: string
  consumer: string
}

export interface ReplayPosition {
  replayId: ReplayId
  createdDate?: string
}

/**
 * Where positions live between runs. `load` may answer `'all'` or `'new'` to choose where an unknown consumer starts.
 * A failing `save` is reported on `status()` and tried again; it never stops the stream.
 */
export interface ReplayStore {
  load(key: ReplayKey): Promise<ReplayPosition | 'all' | 'new' | undefined>
  save(key: ReplayKey, position: ReplayPosition): Promise<void>
  delete?(key: ReplayKey): Promise<void>
  /** Other orgs that this store holds a position of the same channel and consumer for; lets a moved org be reported. */
  orgs?(key: ReplayKey): Promise<readonly string[]>
  /** How far saves may lag behind the newest finished event; default 0. For stores that bill or limit writes. */
  readonly commitEveryMs?: number
}

export function replayPosition(replayId: ReplayId, createdDate: string | undefined): ReplayPosition {
  return createdDate === undefined ? { replayId } : { replayId, createdDate }
}

export function isSameKey(one: ReplayKey, other: ReplayKey): boolean {
  return one.org === other.org && one.channel === other.channel && one.consumer === other.consumer
}
