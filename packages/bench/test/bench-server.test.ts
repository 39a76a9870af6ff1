import { createClient } from '@sfstream/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Payload } from '../src/clients/bench-client.ts'
import { auth } from '../src/clients/sfstream.ts'
import { type BenchServer, benchServer } from '../src/server/bench-server.ts'
import { eventBatch, firstNumber } from '../src/server/event-batch.ts'

let server: BenchServer
beforeEach(async () => {
  server = await benchServer()
})
afterEach(() => server.close())

/** The numbers that a client takes, until it has so many. */
async function take(count: number, replay: 'new' | 'all' = 'new'): Promise<number[]> {
  const client = createClient({ auth: auth(server.url), replayStore: null })
  const numbers: number[] = []
  for await (const { payload } of client.subscribe<Payload>('/event/Bench__e', { replay })) {
    numbers.push(payload.Number__c - firstNumber)
    if (numbers.length === count) break
  }
  await client.stop()
  return numbers
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at)

test('prepared bytes are events, each with a number of its own, of about the size asked for', () => {
  const bytes = eventBatch({ events: 3, eventBytes: 700, channels: ['/event/A__e', '/event/B__e'] }).fill(firstNumber + 7, 1_234)
  const events = JSON.parse(`[${bytes}]`) as {
    channel: string
    data: { payload: Payload; event: { replayId: number; EventUuid: string } }
  }[]
  expect(events.map(({ data }) => data.payload.Number__c)).toEqual([7, 8, 9].map((number) => firstNumber + number))
  expect(events.map(({ data }) => data.event.replayId)).toEqual(events.map(({ data }) => data.payload.Number__c))
  expect(new Set(events.map(({ data }) => data.event.EventUuid)).size).toBe(3)
  expect(events.map(({ channel }) => channel)).toEqual(['/event/A__e', '/event/B__e', '/event/A__e'])
  expect(Number(events[0]?.data.payload.Stamp__c)).toBe(1_234)
  expect(Math.abs(bytes.length / 3 - 700)).toBeLessThan(3)
})

test('it streams batches to a client, in order', async () => {
  server.commands.plan({ feed: { kind: 'stream', batch: 10 } })
  expect(await take(100)).toEqual(upTo(100))
})

test('it replays a backlog once, and counts what it wrote', async () => {
  // The last reply is not full.
  server.commands.plan({ feed: { kind: 'backlog', events: 520, batch: 50 } })
  expect(await take(520, 'all')).toEqual(upTo(520))
  expect(server.commands.figures().written).toBe(520)
})

test('a connect that asks for an answer at once is not held', async () => {
  server.commands.plan({ feed: { kind: 'hold' } })
  const post = async (message: object) => {
    const response = await fetch(`${server.url}/cometd/66.0`, { method: 'POST', body: JSON.stringify([message]) })
    return ((await response.json()) as [{ clientId: string; successful: boolean }])[0]
  }
  const { clientId } = await post({ channel: '/meta/handshake' })
  for (const advice of [undefined, { timeout: 0 }])
    expect(await post({ channel: '/meta/connect', clientId, advice })).toMatchObject({ successful: true })
})

test('single events reach a held poll, or wait for the next', async () => {
  server.commands.plan({ feed: { kind: 'hold' } })
  const taken = take(20)
  await expect.poll(() => server.commands.held()).toBe(1)
  await server.commands.publish({ count: 20, meanMs: 0.1, seed: 1 })
  expect(await taken).toEqual(upTo(20))
})

test.each(['loseSessions', 'expireToken', 'restart'] as const)('a client comes back after %s', async (what) => {
  server.commands.plan({ feed: { kind: 'hold' } })
  const taken = take(1)
  await expect.poll(() => server.commands.held()).toBe(1)
  if (what === 'loseSessions') server.commands.loseSessions()
  else if (what === 'expireToken') server.commands.expireToken('2')
  else await server.commands.restart(10)
  await expect.poll(() => server.commands.held(), { timeout: 30_000 }).toBe(1)
  await server.commands.publish({ count: 1, meanMs: 0.1, seed: 1 })
  expect(await taken).toHaveLength(1)
  expect(server.commands.requests().filter(({ channel, ok }) => channel === '/meta/handshake' && ok)).toHaveLength(2)
})
