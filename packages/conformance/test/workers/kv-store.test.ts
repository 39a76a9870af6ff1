import { type KvNamespace, kvReplayStore } from '@sfstream/cloudflare'
import { Miniflare, supportedCompatibilityDate } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'

let miniflare: Miniflare

beforeAll(() => {
  miniflare = new Miniflare({
    modules: true,
    script: 'export default { fetch: () => new Response() }',
    compatibilityDate: supportedCompatibilityDate,
    kvNamespaces: ['POSITIONS'],
  })
})
afterAll(() => miniflare.dispose())

test('Workers KV keeps positions apart, tells of other orgs, and leaves what is not ours as it is', async () => {
  const namespace = (await miniflare.getKVNamespace('POSITIONS')) as unknown as KvNamespace
  const store = kvReplayStore(namespace)
  const key = { org: '00D000000000001', channel: '/event/A__e', consumer: 'a "b", ~' }
  const elsewhere = { ...key, org: '00D000000000002' }
  await store.save(key, { replayId: '90071992547409931234' })
  await store.save(elsewhere, { replayId: 2 })
  await store.save({ ...elsewhere, consumer: 'another', org: '00D000000000003' }, { replayId: 3 })
  expect(await store.load(key)).toEqual({ replayId: '90071992547409931234' })
  expect(await store.orgs?.(key)).toEqual(['00D000000000002'])
  await store.delete?.(key)
  expect(await store.load(key)).toBeUndefined()

  const { keys } = await namespace.list({ prefix: 'sfstream:["/event/A__e","another"' })
  const name = keys[0]?.name as string
  await namespace.put(name, 'what somebody else wrote')
  const foreign = { ...key, consumer: 'another', org: '00D000000000003' }
  await expect(store.load(foreign)).rejects.toMatchObject({ code: 'store_unreadable' })
  await expect(store.save(foreign, { replayId: 4 })).rejects.toMatchObject({ code: 'store_unreadable' })
  expect(await namespace.get(name)).toBe('what somebody else wrote')
})
