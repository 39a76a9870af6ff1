import { afterEach, describe, expect, test, vi } from 'vitest'
import { denoKvReplayStore, type KvDatabase } from '../src/deno-kv-replay-store.ts'

const key = { org: '00D000000000001', channel: '/event/A__e', consumer: 'default' }

/** A Deno KV: once closed it refuses all, a second close() too. */
function database(items = new Map<string, unknown>()): KvDatabase & { isClosed: boolean } {
  const use = (): void => {
    if (kv.isClosed) throw new TypeError('Bad resource ID')
  }
  const kv = {
    isClosed: false,
    async get(name: readonly string[]) {
      use()
      return { value: items.get(JSON.stringify(name)) ?? null }
    },
    async set(name: readonly string[], value: unknown) {
      use()
      items.set(JSON.stringify(name), value)
    },
    async delete(name: readonly string[]) {
      use()
      items.delete(JSON.stringify(name))
    },
    async *list({ prefix }: { prefix: readonly string[] }) {
      use()
      for (const [name, value] of items) {
        const key = JSON.parse(name) as string[]
        if (prefix.every((part, at) => key[at] === part)) yield { key, value }
      }
    },
    close() {
      use()
      kv.isClosed = true
    },
  }
  return kv
}

describe('close()', () => {
  afterEach(() => vi.unstubAllGlobals())

  function opening() {
    const items = new Map<string, unknown>()
    const opened: ReturnType<typeof database>[] = []
    const openKv = async () => {
      const kv = database(items)
      opened.push(kv)
      return kv
    }
    vi.stubGlobal('Deno', { openKv })
    return opened
  }

  test('twice at once closes the database once', async () => {
    const opened = opening()
    const store = denoKvReplayStore()
    await store.save(key, { replayId: 1 })
    await Promise.all([store.close(), store.close()])
    await store.close()
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([true])
  })

  test('and a use of it meanwhile: the use opens another, which the next close() closes', async () => {
    const opened = opening()
    const store = denoKvReplayStore()
    await store.save(key, { replayId: 1 })
    const closing = store.close()
    expect(await store.load(key)).toEqual({ replayId: 1 })
    await closing
    await store.close()
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, true])
  })

  test('leaves a database that was given alone', async () => {
    const kv = database()
    const store = denoKvReplayStore({ kv })
    await store.save(key, { replayId: 1 })
    await store.close()
    expect(await store.load(key)).toEqual({ replayId: 1 })
  })
})

test('a closed database: no position is lost without a word', async () => {
  const kv = database()
  const store = denoKvReplayStore({ kv })
  await store.save(key, { replayId: 1 })
  kv.close()
  await expect(store.load(key)).rejects.toThrow('Bad resource ID')
  await expect(store.save(key, { replayId: 2 })).rejects.toThrow('Bad resource ID')
})

test('another org is told although its own position is damaged', async () => {
  const kv = database()
  const store = denoKvReplayStore({ kv })
  await kv.set(['sfstream', key.channel, key.consumer, 'a.example'], '{"sfst')
  await kv.set(['sfstream', key.channel, 'another', 'b.example'], '{"sfst')
  await store.save(key, { replayId: 1 })
  expect(await store.orgs(key)).toEqual(['a.example'])
})
