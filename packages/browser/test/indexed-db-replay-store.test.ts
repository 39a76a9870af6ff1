import { afterEach, expect, test, vi } from 'vitest'
import { indexedDbReplayStore } from '../src/indexed-db-replay-store.ts'

const key = { org: '00D000000000001', channel: '/event/Order__e', consumer: 'default' }

interface Fakes {
  /** What opening does; 'waits': another page holds it off, and stays. */
  open: 'works' | 'fails' | 'waits'
  /** What a transaction that writes is aborted with. */
  writes?: DOMException
  /** 'request': it failed before the transaction, which knows no error yet when it hears of that. */
  failing?: 'request' | 'commit'
  /** The connections opened so far are closed, and nobody was told. */
  lose(): void
  databases: { close: ReturnType<typeof vi.fn>; onversionchange?: () => void }[]
  answer(): void
}

/** As much of IndexedDB as the store uses, which can be made to fail at each step. */
function fakeIndexedDb(): Fakes {
  const items = new Map<string, unknown>()
  const waiting: (() => void)[] = []
  const lost = new Set<unknown>()
  const fakes: Fakes = {
    open: 'works',
    databases: [],
    lose() {
      for (const each of fakes.databases) lost.add(each)
    },
    answer() {
      for (const each of waiting.splice(0)) each()
    },
  }
  const transaction = (mode: string) => {
    const made = { error: null as unknown, oncomplete() {}, onabort() {}, onerror() {}, objectStore: () => store }
    const ask = (result: () => unknown) => {
      const request = { result: undefined as unknown }
      queueMicrotask(() => {
        if (mode === 'readwrite' && fakes.writes) {
          if (fakes.failing === 'request') made.onerror()
          made.error = fakes.writes
          return made.onabort()
        }
        request.result = result()
        made.oncomplete()
      })
      return request
    }
    const store = {
      get: (name: string) => ask(() => items.get(name)),
      put: (value: unknown, name: string) => ask(() => void items.set(name, value)),
      delete: (name: string) => ask(() => void items.delete(name)),
    }
    return made
  }
  vi.stubGlobal('indexedDB', {
    open() {
      const request = { result: undefined as unknown, error: new DOMException('denied', 'UnknownError'), onsuccess() {}, onerror() {} }
      const act = (): void => {
        if (fakes.open === 'fails') return request.onerror()
        const db = {
          close: vi.fn(),
          transaction(_: string, mode: string) {
            if (lost.has(db)) throw new DOMException('The database connection is closing.', 'InvalidStateError')
            return transaction(mode)
          },
        }
        fakes.databases.push(db)
        request.result = db
        request.onsuccess()
      }
      if (fakes.open === 'waits') waiting.push(act)
      else queueMicrotask(act)
      return request
    },
  })
  return fakes
}

afterEach(() => vi.unstubAllGlobals())

test('a database that cannot be opened is store_unreadable, and is opened by the next call once it can be', async () => {
  const fakes = fakeIndexedDb()
  fakes.open = 'fails'
  const store = indexedDbReplayStore()
  await expect(store.load(key)).rejects.toMatchObject({
    code: 'store_unreadable',
    cause: expect.objectContaining({ name: 'UnknownError' }),
  })
  fakes.open = 'works'
  expect(await store.load(key)).toBeUndefined()
})

test.each(['request', 'commit'] as const)(
  'a write that the browser aborts for want of room is store_failed, and says so (%s)',
  async (failing) => {
    const fakes = fakeIndexedDb()
    fakes.failing = failing
    const store = indexedDbReplayStore()
    fakes.writes = new DOMException('full', 'QuotaExceededError')
    await expect(store.save(key, { replayId: 7 })).rejects.toMatchObject({
      code: 'store_failed',
      retryable: true,
      message: expect.stringContaining('QuotaExceededError'),
    })
    delete fakes.writes
    await store.save(key, { replayId: 7 })
    expect(await store.load(key)).toMatchObject({ replayId: 7 })
  },
)

test('a connection that the browser has closed without a word is made again, once', async () => {
  const fakes = fakeIndexedDb()
  const store = indexedDbReplayStore()
  await store.save(key, { replayId: 7 })
  fakes.lose()
  expect(await store.load(key)).toMatchObject({ replayId: 7 })
  fakes.lose()
  await store.save(key, { replayId: 8 })
  expect(await store.load(key)).toMatchObject({ replayId: 8 })
  expect(fakes.databases).toHaveLength(3)
})

test('lets go of the database for a newer version of the page, and opens it again', async () => {
  const fakes = fakeIndexedDb()
  const store = indexedDbReplayStore()
  await store.load(key)
  fakes.databases[0]?.onversionchange?.()
  expect(fakes.databases[0]?.close).toHaveBeenCalledOnce()
  expect(await store.load(key)).toBeUndefined()
  expect(fakes.databases).toHaveLength(2)
})

test('close() waits for no database that others hold off, and closes it when it comes', async () => {
  const fakes = fakeIndexedDb()
  fakes.open = 'waits'
  const store = indexedDbReplayStore()
  const load = store.load(key)
  load.catch(() => {})
  let isClosed = false
  void store.close().then(() => {
    isClosed = true
  })
  await vi.waitUntil(() => isClosed, { timeout: 1_000 })
  fakes.open = 'works'
  fakes.answer()
  await vi.waitUntil(() => fakes.databases[0]?.close.mock.calls.length === 1)
})
