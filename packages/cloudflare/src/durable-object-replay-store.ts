import type { ReplayKey, ReplayPosition, ReplayStore } from '@sfstream/core'
import { formatRecord, positionOf } from '@sfstream/core/internal'
import { bound } from './bound.ts'

/** The part of `DurableObjectStorage` that is used. */
export interface ObjectStorage {
  get(key: string): Promise<unknown>
  put(key: string, value: string): Promise<void>
  delete(key: string): Promise<boolean>
  list(options: { prefix: string }): Promise<Map<string, unknown>>
}

/**
 * Positions in the storage of a Durable Object: strongly consistent, and there again after an eviction. A `put` is durable before
 * the object's next reply or request leaves.
 *
 * Rejects with ReplayError `store_unreadable` for values that are damaged or foreign; they are never overwritten.
 */
export function durableObjectReplayStore(storage: ObjectStorage): ReplayStore {
  bound('durableObjectReplayStore', storage, 'get', 'Pass the storage of the object: durableObjectReplayStore(ctx.storage).')
  const name = ({ org, channel, consumer }: ReplayKey): string => `sfstream:${JSON.stringify([channel, consumer, org])}`
  const read = async (key: ReplayKey): Promise<ReplayPosition | undefined> => {
    const text = await storage.get(name(key))
    return text === undefined ? undefined : positionOf(String(text), key, name(key))
  }
  return {
    load: read,
    async save(key, position) {
      await read(key)
      await storage.put(name(key), formatRecord(key, position))
    },
    async delete(key) {
      await storage.delete(name(key))
    },
    async orgs(key) {
      const prefix = `sfstream:${JSON.stringify([key.channel, key.consumer]).slice(0, -1)},`
      const found = await storage.list({ prefix })
      // Of its name alone: a damaged value is still a trace of its org.
      return [...found.keys()].map((item) => String(JSON.parse(`[${item.slice(prefix.length)}`)[0])).filter((org) => org !== key.org)
    },
  }
}
