import type { ReplayKey, ReplayPosition, ReplayStore } from '@sfstream/core'
import { equal } from '../expectations.ts'
import type { Harness } from '../harness.ts'

type MakeStore = (options?: object) => ReplayStore

/** Every store that needs nothing but the runtime; an adapter is asked for those it exports. */
const options: Record<string, object | undefined> = {
  memoryReplayStore: undefined,
  fileReplayStore: undefined,
  sessionStorageReplayStore: undefined,
  localStorageReplayStore: undefined,
  indexedDbReplayStore: undefined,
  denoKvReplayStore: { path: ':memory:' },
}

/** What every store keeps, and keeps apart. */
export function storeCases({ adapter, test }: Harness): void {
  const exported = adapter as unknown as Record<string, MakeStore | undefined>
  for (const [name, given] of Object.entries(options)) {
    const make = exported[name]
    if (!make) continue
    /** Stores outlive the case: each has keys of its own. */
    const key = (more: Partial<ReplayKey> = {}): ReplayKey => ({
      org: '00D000000000001',
      channel: '/event/A__e',
      consumer: `${unique}`,
      ...more,
    })
    const unique = `${name} ${Date.now()} ${Math.random()}`

    test('stores', `${name}: keeps positions whole, and apart by org, channel and consumer`, async () => {
      const store = make(given)
      equal(await store.load(key()), undefined)
      const positions: [Partial<ReplayKey>, ReplayPosition][] = [
        [{}, { replayId: 17, createdDate: '2026-01-02T03:04:05.678Z' }],
        [{ org: '00D000000000002' }, { replayId: 18 }],
        [{ channel: '/event/a__e' }, { replayId: 0 }],
        [{ channel: '/event/A__e/"{}' }, { replayId: '90071992547409931234' }],
        [{ consumer: `${unique} 2` }, { replayId: 20 }],
      ]
      for (const [more, position] of positions) await store.save(key(more), position)
      for (const [more, position] of positions) equal(await store.load(key(more)), position)
      await store.save(key(), { replayId: 21 })
      equal(await store.load(key()), { replayId: 21 })
    })
    test('stores', `${name}: tells of other orgs, and deletes`, async () => {
      const store = make(given)
      const consumer = `${unique} orgs`
      await store.save(key({ consumer }), { replayId: 1 })
      await store.save(key({ consumer, org: '00D000000000009' }), { replayId: 2 })
      await store.save(key({ consumer: `${consumer} too`, org: '00D000000000008' }), { replayId: 2 })
      if (store.orgs) equal(await store.orgs(key({ consumer })), ['00D000000000009'])
      await store.delete?.(key({ consumer }))
      equal(await store.load(key({ consumer })), undefined)
      equal(await store.load(key({ consumer, org: '00D000000000009' })), { replayId: 2 })
    })
  }
}
