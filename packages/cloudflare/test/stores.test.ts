import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { durableObjectReplayStore, type KvNamespace, kvReplayStore } from '../src/index.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const key = { org: '00D000000000001', channel: '/event/A__e', consumer: 'default' }

/** Refuses a write of a key that comes within a second of the last one, as Workers KV does. */
function limitedKv() {
  const items = new Map<string, string>()
  const writtenAt = new Map<string, number>()
  const refusals = { count: 0 }
  const namespace: KvNamespace = {
    get: async (name) => items.get(name) ?? null,
    async put(name, value) {
      if (Date.now() - (writtenAt.get(name) ?? Number.NEGATIVE_INFINITY) < 1_000) {
        refusals.count++
        throw new Error('KV PUT failed: 429 Too Many Requests')
      }
      writtenAt.set(name, Date.now())
      items.set(name, value)
    },
    delete: async (name) => void items.delete(name),
    list: async () => ({ keys: [] }),
  }
  return { namespace, refusals }
}

test('what Workers KV finds too soon after the last write is written a second later', async () => {
  const { namespace, refusals } = limitedKv()
  const store = kvReplayStore(namespace)
  await store.save(key, { replayId: 1 })
  const second = store.save(key, { replayId: 2 })
  await vi.advanceTimersByTimeAsync(1_000)
  await second
  expect(refusals.count).toBe(1)
  expect(await store.load(key)).toEqual({ replayId: 2 })
})

test.each([
  ['429 Too Many Requests', 4],
  ['500 Internal Server Error', 1],
])('a Workers KV that answers %s to all is an error after %i attempts', async (what, attempts) => {
  const { namespace } = limitedKv()
  const put = vi.fn(() => Promise.reject(new Error(`KV PUT failed: ${what}`)))
  const saved = expect(kvReplayStore({ ...namespace, put }).save(key, { replayId: 1 })).rejects.toThrow(what)
  await vi.advanceTimersByTimeAsync(10_000)
  await saved
  expect(put).toHaveBeenCalledTimes(attempts)
})

test('another org is told in a Durable Object although its own position is damaged', async () => {
  const items = new Map<string, unknown>()
  const storage = {
    get: async (name: string) => items.get(name),
    put: async (name: string, value: string) => void items.set(name, value),
    delete: async (name: string) => items.delete(name),
    list: async ({ prefix }: { prefix: string }) => new Map([...items].filter(([name]) => name.startsWith(prefix))),
  }
  const store = durableObjectReplayStore(storage)
  await store.save({ ...key, org: 'a.example' }, { replayId: 1 })
  for (const name of items.keys()) items.set(name, '{"sfst')
  await store.save(key, { replayId: 1 })
  await store.save({ ...key, org: 'b.example', consumer: 'another' }, { replayId: 1 })
  expect(await store.orgs?.(key)).toEqual(['a.example'])
})
