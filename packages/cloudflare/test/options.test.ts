import { drain, durableObjectReplayStore, kvReplayStore, memoryReplayStore, StreamingObject } from '@sfstream/cloudflare'
import { expect, test, vi } from 'vitest'

const refused = (message: string) => expect.objectContaining({ code: 'bad_option', message: expect.stringContaining(message) })

test('a store without its binding is refused when it is made', () => {
  expect(() => kvReplayStore(undefined as never)).toThrow(refused('kvReplayStore was given nothing'))
  expect(() => durableObjectReplayStore({} as never)).toThrow(refused('a value without get()'))
})

const client = { auth: { accessToken: 'x', instanceUrl: 'https://acme.my.salesforce.com' }, replayStore: memoryReplayStore() }
const handle = (): void => {}
test.each([
  [undefined, 'no list of channels'],
  [{ channels: '/event/A__e', handle }, 'no list of channels'],
  [{ channels: ['/event/A__e'] }, 'handle is no function'],
  [{ channels: ['/event/A__e'], handle, begin: 'foo' }, "begin is 'foo'"],
  [{ channels: ['/event/A__e'], handle, until: 'caught-up' }, 'until is "caught-up"'],
])('a drain with %j is refused', async (options, message) => {
  await expect(drain(client, options as never)).rejects.toEqual(refused(message))
})

test('an object without channels says so in its status, with what to do', async () => {
  const kept = new Map<string, unknown>()
  const storage = {
    get: async (key: string) => kept.get(key),
    put: async (key: string, value: unknown) => void kept.set(key, value),
    delete: async (key: string) => kept.delete(key),
    list: async () => new Map(),
    setAlarm: async () => {},
    deleteAlarm: async () => {},
  }
  class Empty extends StreamingObject {
    protected readonly channels = []
    protected connect = () => undefined as never
    protected handle = handle
  }
  const object = new Empty({ storage }, {})
  await object.start()
  await vi.waitUntil(async () => (await object.status()).code !== undefined)
  expect(await object.status()).toMatchObject({ code: 'bad_option', remediation: expect.stringContaining('channels = [') })
})
