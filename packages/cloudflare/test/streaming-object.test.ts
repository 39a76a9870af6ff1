import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createClient, drain, memoryReplayStore, StateError, type StreamingClient, StreamingObject } from '../src/index.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => vi.useRealTimers())

/** A Durable Object's state, with its alarms in a list, in seconds from now. */
function state() {
  const items = new Map<string, unknown>()
  const alarms: number[] = []
  return {
    alarms,
    storage: {
      get: async (key: string) => items.get(key),
      put: async (key: string, value: string) => void items.set(key, value),
      delete: async (key: string) => items.delete(key),
      list: async ({ prefix }: { prefix: string }) => new Map([...items].filter(([key]) => key.startsWith(prefix))),
      setAlarm: async (at: number) => void alarms.push((at - Date.now()) / 1_000),
      deleteAlarm: async () => {},
    },
  }
}

class Broken extends StreamingObject {
  protected readonly channels = ['/event/Order_Event__e']
  connect(): StreamingClient {
    return createClient({ auth: { accessToken: 'x', instanceUrl: 'nowhere' } })
  }
  handle(): void {}
}

test('a client that cannot be made is tried again ever more seldom, up to once an hour', async () => {
  const ctx = state()
  const object = new Broken(ctx, {})
  await object.start()
  for (let failures = 1; failures <= 10; failures++) {
    await vi.waitUntil(async () => (await object.status()).failures === failures)
    expect(await object.status()).toMatchObject({
      wanted: true,
      running: false,
      error: expect.stringContaining('instanceUrl is not a URL'),
    })
    await object.fetch(new Request('https://object/status'))
    await vi.waitUntil(() => ctx.alarms.length === 2 * failures)
    await object.alarm()
  }
  const pauses = ctx.alarms.filter((_, at) => at % 2 === 1)
  expect(pauses.slice(0, 10)).toEqual([25, 50, 100, 200, 400, 800, 1_600, 3_200, 3_600, 3_600])
})

test('a drain without channels, or without a store, is refused', async () => {
  const auth = { accessToken: 'x', instanceUrl: 'https://acme.my.salesforce.com' }
  const handle = (): void => {}
  await expect(drain({ auth, replayStore: memoryReplayStore() }, { channels: [], handle })).rejects.toThrow(StateError)
  await expect(drain({ auth } as never, { channels: ['/event/A__e'], handle })).rejects.toMatchObject({ code: 'bad_option' })
})
