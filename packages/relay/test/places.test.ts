import { expect, test } from 'vitest'
import { channel, relayBench } from './relay-bench.ts'

const sse = { accept: 'text/event-stream' }

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}
const hops = Array.from({ length: 40 }, (_, turn) => turn)

test.each(hops)('who leaves while it is let in takes no place from others (%i turns after it was authorized)', async (hop) => {
  let allow = (): void => {}
  const bench = relayBench({
    maxClients: 1,
    maxClientsEach: 1,
    limitBy: () => 'one',
    authorize: (request) => (request.headers.has('x-slow') ? new Promise<boolean>((resolve) => (allow = () => resolve(true))) : true),
  })
  const before = await bench.relay(bench.request(`?channel=${channel}`, sse))
  await bench.clock.advance(1_000)
  await before.body?.cancel()
  const controller = new AbortController()
  const asked = bench.relay(new Request(bench.request(`?channel=${channel}`, { ...sse, 'x-slow': '1' }), { signal: controller.signal }))
  await bench.clock.advance(10)
  allow()
  await turns(hop)
  controller.abort()
  await asked
  await bench.clock.advance(10)
  expect((await bench.relay(bench.request(`?channel=${channel}`, sse))).status).toBe(200)
  await bench.relay.close()
})

test.each(hops)('who is let in as the relay closes is told so, and leaves nothing behind (%i turns before)', async (hop) => {
  const bench = relayBench()
  const before = await bench.relay(bench.request(`?channel=${channel}`, sse))
  await bench.clock.advance(1_000)
  await before.body?.cancel()
  const asked = bench.relay(bench.request(`?channel=${channel}`, sse))
  await turns(hop)
  const closed = bench.relay.close()
  await bench.clock.advance(5_000)
  await closed
  const response = await asked
  expect(bench.relay.stats).toMatchObject({ clients: 0, channels: 0 })
  if (response.status === 200) expect(await response.text()).toContain('event: bye')
  else expect(response.status).toBe(503)
  expect(bench.clock.pending).toBe(0)
})

test('who was given up before it was authorized has no session made', async () => {
  let allow = (): void => {}
  const bench = relayBench({ authorize: () => new Promise<boolean>((resolve) => (allow = () => resolve(true))) })
  const asked = bench.relay(bench.request(`?channel=${channel}`, sse))
  await bench.clock.advance(30_000)
  expect((await asked).status).toBe(503)
  allow()
  await bench.clock.advance(30_000)
  expect(bench.org.inspect.handshakes).toBe(0)
  expect(bench.clock.pending).toBe(0)
  await bench.relay.close()
})
