import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { Miniflare, supportedCompatibilityDate } from 'miniflare'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Sink, startSink } from './sink.ts'
import { bundleWorker } from './worker.ts'

const channel = '/event/Order_Event__e'
let server: MockOrgServer
let sink: Sink<{ Number__c: number }>
let miniflare: Miniflare
let published = 0

beforeAll(async () => {
  server = await startMockOrgServer()
  sink = await startSink()
  miniflare = new Miniflare({
    name: 'worker',
    modules: true,
    script: await bundleWorker('object-worker.ts'),
    compatibilityDate: supportedCompatibilityDate,
    durableObjects: { ORDERS: 'OrdersObject' },
    bindings: { ...server.org.session(), sinkUrl: sink.url },
  })
})
afterAll(async () => {
  await miniflare.dispose()
  sink.close()
  await server.close()
})

const publish = (count: number): void => {
  for (let each = 0; each < count; each++) server.org.publish(channel, { Number__c: ++published })
}
const ask = async (method: string, path: string): Promise<Record<string, unknown>> =>
  (await (await miniflare.dispatchFetch(`http://worker${path}`, { method })).json()) as Record<string, unknown>
const seen = (): number[] => sink.posts.map(({ Number__c }) => Number__c)
const until = (condition: () => unknown): Promise<unknown> => vi.waitUntil(condition, { timeout: 20_000, interval: 10 })
const firsts = (): number[] => [...new Set(seen())]
const upTo = (last: number): number[] => Array.from({ length: last }, (_, at) => at + 1)

test('a path it does not know is answered with those it does', async () => {
  const response = await miniflare.dispatchFetch('http://worker/begin', { method: 'POST' })
  expect(response.status).toBe(404)
  expect(await response.json()).toEqual({ error: 'POST /begin is not one of POST /start, POST /stop, GET /status' })
})

test('evicted in mid-stream, again and again: nothing is lost, the order is kept, an alarm alone brings it back', async () => {
  publish(10)
  expect(await ask('POST', '/start')).toMatchObject({ wanted: true, running: true })
  await until(() => seen().includes(10))
  for (let round = 1; round <= 4; round++) {
    publish(25)
    // Some of these are handled, some are not.
    await until(() => seen().includes(published - 20))
    // miniflare's own eviction waits for an object at rest, and this one has a poll under way.
    await expect(ask('POST', '/abort')).rejects.toThrow()
    publish(5)
    await until(() => seen().includes(published))
  }
  expect(firsts()).toEqual(upTo(published))
  // Only what was not known to be finished comes again.
  expect(seen().length - published).toBeLessThanOrEqual(4 * 2)
  expect(server.org.inspect.maxConcurrentConnects).toBe(1)
})

test('a handler that fails stops the loop; the event comes again, first, once the next alarm finds it mended', async () => {
  sink.broken = true
  publish(3)
  await vi.waitUntil(async () => (await ask('GET', '/status')).failures, { timeout: 20_000, interval: 20 })
  expect(await ask('GET', '/status')).toMatchObject({ wanted: true, error: 'Error: the sink answered 500' })
  sink.broken = false
  await until(() => seen().includes(published))
  expect(firsts()).toEqual(upTo(published))
})

test('stop() says goodbye, and no alarm brings it back', async () => {
  expect(await ask('POST', '/stop')).toMatchObject({ wanted: false, running: false })
  // Sessions whose object was killed are still remembered by the org, for 40 s; none of them polls.
  await until(() => server.org.inspect.sessions.every(({ connected }) => !connected))
  const { handshakes } = server.org.inspect
  await miniflare.unsafeEvictDurableObject('worker', 'OrdersObject', { name: 'orders' })
  expect(await ask('GET', '/status')).toMatchObject({ wanted: false, running: false })
  expect(server.org.inspect.handshakes).toBe(handshakes)
})
