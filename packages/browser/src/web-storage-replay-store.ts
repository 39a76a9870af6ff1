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
  const failed = (key: ReplayKey, cause: unknown): ReplayError =>
    new ReplayError({
      code: 'store_failed',
      channel: key.channel,
      message: `The position of ${key.channel} could not be written to ${what} (${cause instanceof Error ? cause.name : String(cause)}).`,
      remediation: 'Free some of the storage of this origin; the save is tried again.',
      retryable: true,
      cause,
    })

  return {
    async load(key) {
      const text = open().getItem(name(key))
      return text === null ? undefined : positionOf(text, key, name(key))
    },
    async save(key, position) {
      const items = open()
      const there = items.getItem(name(key))
      // What is there is read first: an item that is not ours must outlive us.
      if (there !== null) positionOf(there, key, name(key))
      try {
        items.setItem(name(key), formatRecord(key, position))
      } catch (cause) {
        throw failed(key, cause)
      }
    },
    async delete(key) {
      open().removeItem(name(key))
    },
    async orgs(key) {
      const items = open()
      const start = `${prefix}:${JSON.stringify([key.channel, key.consumer]).slice(0, -1)},`
      const orgs: string[] = []
      for (let at = 0; at < items.length; at++) {
        const item = items.key(at) ?? ''
        if (!item.startsWith(start) || item === name(key)) continue
        orgs.push(parseRecord(items.getItem(item) ?? '', item).org)
      }
      return orgs
    },
  }
}
