import { ReplayError, type ReplayKey, type ReplayPosition, type ReplayStore } from '@sfstream/core'
import { formatRecord, parseRecord, positionOf, unreadable } from '@sfstream/core/internal'

/** A ReplayStore over `sessionStorage` or `localStorage`. */
export interface WebStorageReplayStore extends ReplayStore {
  load(key: ReplayKey): Promise<ReplayPosition | undefined>
  delete(key: ReplayKey): Promise<void>
  orgs(key: ReplayKey): Promise<readonly string[]>
}

export interface WebStorageReplayStoreOptions {
  /** Begins the name of every item; 'sfstream' by default. */
  prefix?: string
}

/**
 * Positions for one tab, for as long as it is open: a reload goes on where it was, another tab begins for itself. A duplicated
 * tab gets a copy of the positions, and both go on from there.
 *
 * Rejects with ReplayError `store_unreadable` for items that are damaged or foreign (never overwritten), and where the page may
 * not read storage; with `store_failed` where the browser will not write, for want of room or of permission.
 */
export function sessionStorageReplayStore(options?: WebStorageReplayStoreOptions): WebStorageReplayStore {
  return webStorageReplayStore(() => sessionStorage, 'sessionStorage', options)
}

/** Positions for every tab of the origin, kept when the browser is closed. Tabs that stream one channel need a `consumer` each. */
export function localStorageReplayStore(options?: WebStorageReplayStoreOptions): WebStorageReplayStore {
  return webStorageReplayStore(() => localStorage, 'localStorage', options)
}

/** Storage is looked up with each call: the getter itself throws where a page is denied storage. */
function webStorageReplayStore(
  storage: () => Storage,
  what: string,
  { prefix = 'sfstream' }: WebStorageReplayStoreOptions = {},
): WebStorageReplayStore {
  const name = ({ org, channel, consumer }: ReplayKey): string => `${prefix}:${JSON.stringify([channel, consumer, org])}`
  const open = (): Storage => {
    try {
      return storage()
    } catch (cause) {
      throw unreadable(what, 'cannot be reached: the browser denies this page its storage', cause)
    }
  }
  const load = (key: ReplayKey): ReplayPosition | undefined => {
    const text = open().getItem(name(key))
    return text === null ? undefined : positionOf(text, key, name(key))
  }

  return {
    load: async (key) => load(key),
    async save(key, position) {
      // What is there is read first: an item that is not ours must outlive us.
      load(key)
      try {
        open().setItem(name(key), formatRecord(key, position))
      } catch (cause) {
        throw new ReplayError({
          code: 'store_failed',
          channel: key.channel,
          message: `The position of ${key.channel} could not be written to ${what} (${String(cause)}).`,
          remediation: 'Free some of the storage of this origin; the save is tried again.',
          retryable: true,
          cause,
        })
      }
    },
    async delete(key) {
      open().removeItem(name(key))
    },
    async orgs(key) {
      const items = open()
      const start = name(key).slice(0, -JSON.stringify([key.org]).length + 1)
      return Array.from({ length: items.length }, (_, at) => items.key(at) ?? '')
        .filter((item) => item.startsWith(start) && item !== name(key))
        .map((item) => parseRecord(items.getItem(item) ?? '', item).org)
    },
  }
}
