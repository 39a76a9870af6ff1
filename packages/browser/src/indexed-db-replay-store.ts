import { ReplayError, type ReplayKey, type ReplayPosition, type ReplayStore } from '@sfstream/core'
import { formatRecord, parseRecord, positionOf, unreadable } from '@sfstream/core/internal'

export interface IndexedDbReplayStoreOptions {
  /** Name of the database; 'sfstream' by default. */
  database?: string
}

/** A ReplayStore over IndexedDB; `close` lets the database go. */
export interface IndexedDbReplayStore extends ReplayStore {
  load(key: ReplayKey): Promise<ReplayPosition | undefined>
  delete(key: ReplayKey): Promise<void>
  orgs(key: ReplayKey): Promise<readonly string[]>
  close(): Promise<void>
}

const table = 'positions'

/**
 * Positions for every tab and worker of the origin, kept when the browser is closed, and reached from service workers too, which
 * have no web storage. Tabs that stream one channel need a `consumer` each.
 *
 * Rejects with ReplayError `store_unreadable` for records that are damaged or foreign (never overwritten) and where the database
 * cannot be opened; with `store_failed` where it cannot be written.
 */
export function indexedDbReplayStore({ database = 'sfstream' }: IndexedDbReplayStoreOptions = {}): IndexedDbReplayStore {
  let opened: Promise<IDBDatabase> | undefined
  const name = ({ org, channel, consumer }: ReplayKey): string => JSON.stringify([channel, consumer, org])

  const open = (): Promise<IDBDatabase> => {
    opened ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(database, 1)
      request.onupgradeneeded = () => request.result.createObjectStore(table)
      request.onerror = () => reject(request.error)
      // Another tab holds an older version open; it lets go when it hears of it.
      request.onsuccess = () => {
        const db = request.result
        const forget = (): void => {
          db.close()
          opened = undefined
        }
        db.onversionchange = forget
        db.onclose = forget
        resolve(db)
      }
    }).catch((cause: unknown) => {
      opened = undefined
      throw unreadable(`IndexedDB '${database}'`, 'cannot be opened', cause)
    })
    return opened
  }
  /** One transaction; resolves with what its last request found, when it is durable. */
  const transact = async <T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const attempt = async (): Promise<T> => {
      const db = await open()
      return new Promise((resolve, reject) => {
        const transaction = db.transaction(table, mode)
        const request = work(transaction.objectStore(table))
        transaction.oncomplete = () => resolve(request.result)
        // Follows every failure; before it the transaction does not know its error yet.
        transaction.onabort = () => reject(transaction.error)
      })
    }
    return attempt().catch((error: unknown) => {
      if ((error as Error | null)?.name !== 'InvalidStateError') throw error
      // A connection that the browser has closed without a word, as some do to pages in the background.
      opened = undefined
      return attempt()
    })
  }
  const read = async (key: ReplayKey): Promise<ReplayPosition | undefined> => {
    const text: unknown = await transact('readonly', (store) => store.get(name(key)))
    return text === undefined ? undefined : positionOf(String(text), key, `${database} ${name(key)}`)
  }

  return {
    load: read,
    async save(key, position) {
      await read(key)
      try {
        await transact('readwrite', (store) => store.put(formatRecord(key, position), name(key)))
      } catch (cause) {
        throw new ReplayError({
          code: 'store_failed',
          channel: key.channel,
          message: `The position of ${key.channel} could not be written to IndexedDB '${database}' (${cause instanceof Error ? cause.name : String(cause)}).`,
          remediation: 'Free some of the storage of this origin; the save is tried again.',
          retryable: true,
          cause,
        })
      }
    },
    async delete(key) {
      await transact('readwrite', (store) => store.delete(name(key)))
    },
    async orgs(key) {
      const start = `${JSON.stringify([key.channel, key.consumer]).slice(0, -1)},`
      const texts: unknown[] = await transact('readonly', (store) => store.getAll(IDBKeyRange.bound(start, `${start}\uffff`)))
      return texts.map((text) => parseRecord(String(text), database).org).filter((org) => org !== key.org)
    },
    async close() {
      // Not waited for: other pages may hold it off for as long as they are open.
      opened?.then((db) => db.close()).catch(() => {})
      opened = undefined
    },
  }
}
