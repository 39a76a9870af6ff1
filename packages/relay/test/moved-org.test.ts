import { createClient } from '@sfstream/core'
import { createMockOrg, type MockOrg } from '@sfstream/mock-org'
import { expect, test } from 'vitest'
import { channel, type RelayBench, relayBench } from './relay-bench.ts'

const sse = { accept: 'text/event-stream' }
const key = (org: MockOrg): string => org.orgId.slice(0, 15)
/** After the so manieth event of an org. */
const cursor = (org: MockOrg, nth: number): string => `1~${key(org)}~${encodeURIComponent(channel)}=${1_000 + nth}`
const publish = (org: MockOrg, count: number, first: number): void => {
  for (let at = 0; at < count; at++) org.publish(channel, { Number__c: first + at }, { replayId: 1_001 + at })
}

/** A relay whose logins lead to the one org, and after `move` to the other; both give out the same replay ids. */
async function movingBench(): Promise<{ bench: RelayBench; here: MockOrg; there: MockOrg; move(): void; moveTokens(): void }> {
  const bench = relayBench()
  const there = createMockOrg({ clock: bench.clock, seed: 9, instanceUrl: 'https://other.my.salesforce.com' })
  let now = bench.org
  const fetch = (input: string | URL, init?: RequestInit): Promise<Response> =>
    (new URL(input).hostname.startsWith('other.') ? there : bench.org).fetch(input, init)
  const { now: time, delay, random } = bench.clock
  await bench.restart({
    connect: () => createClient({ auth: async () => now.session(), replayStore: null, platform: { fetch, now: time, delay, random } }),
  })
  const moveTokens = (): void => {
    now = there
  }
  return {
    bench,
    here: bench.org,
    there,
    moveTokens,
    move() {
      moveTokens()
      bench.org.faults.revokeTokens()
      bench.org.faults.loseSessions()
    },
  }
}

/** What a stream brings: numbers of events, and names of what else. */
function follow(response: Response): { told: (number | string)[]; lastId: () => string | undefined; leave(): void } {
  const told: (number | string)[] = []
  let text = ''
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  void (async () => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value)
      told.length = 0
      for (const block of text.split('\n\n')) {
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (data === undefined) continue
        const name = /^event: (.*)$/m.exec(block)?.[1]
        told.push(name ?? (JSON.parse(data) as { data: { payload: { Number__c: number } } }).data.payload.Number__c)
      }
    }
  })().catch(() => {})
  return {
    told,
    lastId: () => [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1],
    leave: () => void reader.cancel().catch(() => {}),
  }
}
const numbers = (told: readonly (number | string)[]): number[] => told.filter((each) => typeof each === 'number')

test('a position of the org that the session has moved to is none of the org it was in before, though the ids are alike', async () => {
  const { bench, here, there, move } = await movingBench()
  const reader = follow(await bench.get(`?channel=${channel}`, sse))
  await bench.clock.advance(1_000)
  publish(here, 10, 1)
  publish(there, 10, 101)
  await bench.clock.runUntil(() => reader.told.includes(10))
  const other = follow(await bench.get(`?channel=${channel}`, sse))
  move()
  await bench.clock.runUntil(() => other.told.includes('bye'), 120_000)
  const moved = follow(await bench.get(`?channel=${channel}`, { ...sse, 'last-event-id': cursor(there, 3) }))
  await bench.clock.advance(30_000)
  there.publish(channel, { Number__c: 111 })
  await bench.clock.advance(30_000)
  expect(numbers(moved.told)).toEqual([104, 105, 106, 107, 108, 109, 110, 111])
  expect(numbers(other.told)).toEqual([])
  await bench.relay.close()
})

test('who is in the middle of a replay when the org is another one is told, and brought nothing under its name', async () => {
  const { bench, here, there, move } = await movingBench()
  publish(here, 3_000, 1)
  publish(there, 3_000, 10_001)
  const keeper = follow(await bench.get(`?channel=${channel}`, sse))
  await bench.clock.advance(1_000)
  const reader = follow(await bench.get(`?channel=${channel}`, { ...sse, 'last-event-id': cursor(here, 1) }))
  await bench.clock.runUntil(() => numbers(reader.told).length > 0)
  move()
  await bench.clock.runUntil(() => keeper.told.includes('bye'), 120_000)
  await bench.clock.advance(60_000)
  expect(numbers(reader.told).filter((number) => number > 10_000)).toEqual([])
  expect(reader.told.at(-1)).toBe('bye')
  await bench.relay.close()
})

test('a replay that logs in to another org than the session is in brings nothing of it', async () => {
  const { bench, here, there, moveTokens } = await movingBench()
  publish(here, 10, 1)
  publish(there, 10, 101)
  const keeper = follow(await bench.get(`?channel=${channel}`, sse))
  await bench.clock.advance(1_000)
  moveTokens()
  const reader = follow(await bench.get(`?channel=${channel}`, { ...sse, 'last-event-id': cursor(here, 4) }))
  await bench.clock.advance(60_000)
  expect(numbers(reader.told)).toEqual([])
  expect(keeper.told).not.toContain('bye')
  await bench.relay.close()
})
