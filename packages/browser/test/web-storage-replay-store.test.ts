import { type ClientStatus, createClient } from '@sfstream/core'
import { createMockOrg, virtualClock } from '@sfstream/mock-org'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { sessionStorageReplayStore } from '../src/index.ts'

const channel = '/event/Order_Event__e'
const key = { org: '00D000000000001', channel, consumer: 'default' }
const item = `sfstream:${JSON.stringify([channel, 'default', key.org])}`

/** As much of Storage as the store uses. */
function storage(): Storage & { full: boolean } {
  const items = new Map<string, string>()
  const it = {
    full: false,
    get length() {
      return items.size
    },
    key: (at: number) => [...items.keys()][at] ?? null,
    getItem: (name: string) => items.get(name) ?? null,
    setItem(name: string, value: string) {
      if (it.full) throw new DOMException('The quota has been exceeded.', 'QuotaExceededError')
      items.set(name, value)
    },
    removeItem: (name: string) => void items.delete(name),
    clear: () => items.clear(),
  }
  return it
}

afterEach(() => vi.unstubAllGlobals())

describe('sessionStorage', () => {
  test('that is full ends nothing: storeFailed is told, events go on, and the position is saved once there is room', async () => {
    const items = storage()
    vi.stubGlobal('sessionStorage', items)
    const clock = virtualClock()
    const org = createMockOrg({ clock })
    const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
    const client = createClient({ auth: org.session(), platform, replayStore: sessionStorageReplayStore() })
    const failures: ClientStatus[] = []
    void (async () => {
      for await (const status of client.status()) if (status.type === 'storeFailed') failures.push(status)
    })()
    const seen: unknown[] = []
    void (async () => {
      for await (const event of client.subscribe(channel)) seen.push(event.replayId)
    })()
    await clock.runUntil(() => client.state === 'live')
    items.full = true
    for (let number = 1; number <= 3; number++) org.publish(channel, { Number__c: number })
    await clock.runUntil(() => failures.length > 0)
    expect(seen).toHaveLength(3)
    expect(failures[0]).toMatchObject({ channel, error: { code: 'store_failed', retryable: true } })
    expect(String((failures[0] as { error?: unknown }).error)).toContain('QuotaExceededError')
    items.full = false
    await clock.runUntil(() => items.length === 1)
    await client.stop()
    // The loop has asked for a fourth.
    expect(items.getItem(items.key(0) ?? '')).toContain(`"replayId":${seen[2]}`)
  })

  test('that the browser denies is store_unreadable, and says so', async () => {
    const denied = (): never => {
      throw new DOMException('The operation is insecure.', 'SecurityError')
    }
    vi.stubGlobal('sessionStorage', undefined)
    Object.defineProperty(globalThis, 'sessionStorage', { get: denied, configurable: true })
    const store = sessionStorageReplayStore()
    for (const work of [store.load(key), store.save(key, { replayId: 1 }), store.orgs(key)])
      await expect(work).rejects.toMatchObject({ code: 'store_unreadable', message: expect.stringContaining('denies') })
    // For unstubAllGlobals to put back what was there.
    Object.defineProperty(globalThis, 'sessionStorage', { value: undefined, configurable: true, writable: true })
  })

  test.each([
    ['not JSON', 'replay: 17', 'is not JSON'],
    ['of somebody else', '{"replayId":17}', 'was not written by sfstream'],
    ['of another key', JSON.stringify({ sfstream: 1, ...key, consumer: 'other', replayId: 17 }), "consumer 'other'"],
  ])('an item %s is never overwritten', async (_, text, message) => {
    const items = storage()
    vi.stubGlobal('sessionStorage', items)
    items.setItem(item, text)
    const store = sessionStorageReplayStore()
    for (const work of [store.load(key), store.save(key, { replayId: 18 })])
      await expect(work).rejects.toMatchObject({ code: 'store_unreadable', message: expect.stringContaining(message) })
    expect(items.getItem(item)).toBe(text)
  })
})
