import type { ReplayStore } from '@sfstream/core'

/**
 * The store, with a say in where a consumer without a position begins. What runs for moments only must not begin at new events:
 * those that come between two runs, before there is a position, would be lost.
 */
export function startingAt(begin: 'all' | 'new', store: ReplayStore): ReplayStore {
  return {
    load: async (key) => (await store.load(key)) ?? begin,
    save: (key, position) => store.save(key, position),
    ...(store.delete && { delete: (key) => store.delete!(key) }),
    ...(store.orgs && { orgs: (key) => store.orgs!(key) }),
    commitEveryMs: store.commitEveryMs ?? 0,
  }
}
