import { createClient } from '@sfstream/core'
import { expect, test } from 'vitest'
import { channel, other, relayBench } from './relay-bench.ts'

const sse = { accept: 'text/event-stream' }

test('close() has said goodbye for the replay under way, too', async () => {
  const bench = relayBench()
  const { now, delay, random } = bench.clock
  /** Farther away. */
  const slowly: typeof bench.org.fetch = async (input, init) => {
    await new Promise<void>((resolve) => void delay(resolve, 500))
    return bench.org.fetch(input, init)
  }
  await bench.restart({
    connect: (purpose) =>
      createClient({
        auth: bench.org.session(),
        replayStore: null,
        platform: { fetch: purpose === 'replay' ? slowly : bench.org.fetch, now, delay, random },
      }),
  })
  bench.publish(3)
  const reader = (await bench.get(`?channel=${channel}&from=all`, sse)).body!.getReader()
  void (async () => {
    while (!(await reader.read()).done);
  })()
  await bench.clock.runUntil(() => bench.org.inspect.slots.used === 2)
  let isClosed = false
  void bench.relay.close().then(() => {
    isClosed = true
  })
  await bench.clock.runUntil(() => isClosed)
  expect(bench.org.inspect.slots.used).toBe(0)
})

test('a replay that cannot begin is let go when its readers have left, and the next has its turn', async () => {
  const bench = relayBench()
  let isBlocked = true
  await bench.restart({
    connect: (purpose) =>
      createClient({
        auth: () => (purpose === 'replay' && isBlocked ? new Promise(() => {}) : Promise.resolve(bench.org.session())),
        replayStore: null,
        platform: { fetch: bench.org.fetch, now: bench.clock.now, delay: bench.clock.delay, random: bench.clock.random },
      }),
  })
  bench.publish(2, other)
  const stuck = (await bench.get(`?channel=${channel}&from=all`, sse)).body!.getReader()
  await stuck.read()
  await bench.clock.runUntil(() => bench.relay.stats.catchUps === 1)
  isBlocked = false
  const next = (await bench.get(`?channel=${other}&from=all`, sse)).body!.getReader()
  let text = ''
  void (async () => {
    for (let piece = await next.read(); !piece.done; piece = await next.read()) text += new TextDecoder().decode(piece.value)
  })()
  await bench.clock.advance(5_000)
  expect(text).not.toContain('Number__c')
  await stuck.cancel()
  await bench.clock.advance(5_000)
  expect(text.match(/^data: .*Number__c/gm)?.length).toBe(2)
  await bench.relay.close()
})
