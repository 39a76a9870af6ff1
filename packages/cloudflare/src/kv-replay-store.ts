import type { ReplayKey, ReplayStore } from '@sfstream/core'
import { formatRecord, positionOf } from '@sfstream/core/internal'
import { bound } from './bound.ts'

/** The part of `KVNamespace` that is used. */
export interface KvNamespace {
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<void>
  delete(key: string): Promise<void>
  list(options: { prefix: string }): Promise<{ keys: readonly { name: string }[] }>
}

/** KV takes one write of a key in so long, and refuses others: of this invocation, or of one beside it. */
const writeEveryMs = 1_000
const attempts = 4

/**
 * Positions in Workers KV, which is eventually consistent: a load may bring a position that is a minute old or older, or none yet, and what
 * came after it comes again. Repeats, never loss, where a consumer without a position begins at 'all', as drains do. KV takes one write
 * per key and second, so a position is saved a second behind, and one that KV finds too soon is written again.
 *
 * Rejects with ReplayError `store_unreadable` for values that are damaged or foreign; what `load` saw of such is never overwritten.
 */
export function kvReplayStore(namespace: KvNamespace): ReplayStore {
  bound(
    'kvReplayStore',
    namespace,
    'get',
    'Bind a KV namespace in wrangler.toml ([[kv_namespaces]]) and pass it: kvReplayStore(env.POSITIONS).',
  )
  const name = ({ org, channel, consumer }: ReplayKey): string => `sfstream:${JSON.stringify([channel, consumer, org])}`
  return {
    commitEveryMs: writeEveryMs,
    async load(key) {
      const text = await namespace.get(name(key))
      return text === null ? undefined : positionOf(text, key, name(key))
    },
    async save(key, position) {
      const there = await namespace.get(name(key))
      if (there !== null) positionOf(there, key, name(key))
      for (let attempt = 1; ; attempt++) {
        try {
          return await namespace.put(name(key), formatRecord(key, position))
        } catch (error) {
          if (attempt === attempts || !/\b429\b/.test(String(error))) throw error
          await new Promise((resolve) => setTimeout(resolve, writeEveryMs))
        }
      }
    },
    delete: (key) => namespace.delete(name(key)),
    async orgs(key) {
      const prefix = `sfstream:${JSON.stringify([key.channel, key.consumer]).slice(0, -1)},`
      const { keys } = await namespace.list({ prefix })
      // Of its name alone: a list brings no values.
      return keys.map(({ name }) => String(JSON.parse(`[${name.slice(prefix.length)}`)[0])).filter((org) => org !== key.org)
    },
  }
}
