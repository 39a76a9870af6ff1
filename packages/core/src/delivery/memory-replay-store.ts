import type { ReplayKey, ReplayPosition, ReplayStore } from './replay-store.ts'

/** Positions for the life of the process: resuming inside it works, a restart begins anew. */
export function memoryReplayStore(): ReplayStore {
  const positions = new Map<string, ReplayPosition>()
  const name = (key: ReplayKey): string => JSON.stringify([key.org, key.channel, key.consumer])
  return {
    load: (key) => Promise.resolve(positions.get(name(key))),
    save: (key, position) => {
      positions.set(name(key), position)
      return Promise.resolve()
    },
    delete: (key) => {
      positions.delete(name(key))
      return Promise.resolve()
    },
  }
}
