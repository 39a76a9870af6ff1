import { createClient } from '@sfstream/core'
import { expect, test } from 'vitest'
import { channel, other, relayBench, url } from './relay-bench.ts'

const sse = { accept: 'text/event-stream' }

test.each<[string, string, Record<string, string>]>([
  ['the org alone', '', {}],
  ['a stream whose position is refused', `?channel=${channel}&fallback=none`, { ...sse, 'last-event-id': 'nonsense' }],
  ['a channel that the org refuses', `?channel=${channel}`, sse],
])('a session that nobody reads from is let go, after %s was asked for', async (what, path, headers) => {
  const bench = relayBench({ lingerMs: 60_000 })
  if (what.includes('refuses')) bench.org.faults.deny(channel, '403::No access on channel')
  const response = await bench.get(path, headers)
  await bench.clock.advance(1_000)
  await response.body?.cancel()
  expect(bench.org.inspect.slots.used).toBe(1)
  await bench.clock.advance(70_000)
  expect(bench.org.inspect.slots.used).toBe(0)
  expect(bench.clock.pending).toBe(0)
  // It is there again for who comes.
  const reader = (await bench.get(`?channel=${other}`, sse)).body!.getReader()
  void reader.read()
  await bench.clock.runUntil(() => bench.org.inspect.slots.used === 1)
  await reader.cancel()
  await bench.relay.close()
  expect(bench.clock.pending).toBe(0)
})

test('a session is not let go from under those who wait for it, nor from under those who read', async () => {
  const bench = relayBench()
  const { now, delay, random } = bench.clock
  let logins = 0
  await bench.restart({
    lingerMs: 1_000,
    connect: () =>
      createClient({
        auth: async () => {
          logins++
          await new Promise<void>((resolve) => void delay(resolve, 10_000))
          return bench.org.session()
        },
        replayStore: null,
        platform: { fetch: bench.org.fetch, now, delay, random },
      }),
  })
  const impatient = new AbortController()
  void bench.relay(new Request(url, { signal: impatient.signal }))
  const asked = bench.get(`?channel=${channel}`, sse)
  await bench.clock.advance(500)
  impatient.abort()
  await bench.clock.runUntil(() => bench.relay.stats.clients === 1)
  let text = ''
  const reader = (await asked).body!.getReader()
  void (async () => {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += new TextDecoder().decode(piece.value)
  })()
  await bench.clock.runUntil(() => text.includes('event: subscribed'))
  await bench.get('')
  await bench.clock.advance(15_000)
  bench.publish(1)
  await bench.clock.runUntil(() => text.includes('Number__c'))
  expect(logins).toBe(1)
  expect(bench.org.inspect.handshakes).toBe(1)
  await bench.relay.close()
})
