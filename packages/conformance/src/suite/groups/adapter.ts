import { channel, listen, onBench, takeNumbers } from '../bench.ts'
import { equal, ok } from '../expectations.ts'
import type { Harness } from '../harness.ts'

/** Core's and auth's values: what every adapter exports, so that a program moves by changing one import. */
const names = [
  'AuthenticationError',
  'HandshakeError',
  'LimitError',
  'ProtocolError',
  'ReplayError',
  'SfStreamError',
  'StateError',
  'SubscribeError',
  'TransportError',
  'accessToken',
  'authorizationCode',
  'clientCredentials',
  'createClient',
  'deviceFlow',
  'jwtBearer',
  'memoryReplayStore',
  'password',
  'refreshToken',
  'soapLogin',
]

/** What the adapter itself adds. */
export function adapterCases(harness: Harness): void {
  const { adapter, org, test } = harness

  test('adapter', 'exports what every adapter does', async () => {
    for (const name of names) ok(typeof (adapter as unknown as Record<string, unknown>)[name] === 'function', `${name} is exported`)
  })
  test(
    'adapter',
    'its own store: a second client goes on where the first stopped',
    onBench(harness, async ({ orders }) => {
      const consumer = `adapter ${Math.random()}`
      const begin = async (): ReturnType<typeof createOwn> => createOwn()
      const createOwn = async () => adapter.createClient({ auth: await org.session(), consumer })
      const first = await begin()
      const iterator = await listen(first)
      await orders(1, 2)
      equal(await takeNumbers(iterator, 2), [1, 2])
      const parked = iterator.next()
      await first.stop()
      await parked
      await orders(3, 2)
      const second = await begin()
      try {
        equal(await takeNumbers(await listen(second), 2), [3, 4], channel)
      } finally {
        await second.stop()
      }
    }),
    ['durable-default-store'],
  )
}
