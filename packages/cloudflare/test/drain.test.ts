import { createMockOrg, virtualClock } from '@sfstream/mock-org'
import { expect, test } from 'vitest'
import { type DrainReport, drain, kvReplayStore, memoryReplayStore, type ReplayStore } from '../src/index.ts'
import { channel } from './object-bench.ts'

function drains(replayStore: ReplayStore = memoryReplayStore()) {
  const clock = virtualClock()
  const org = createMockOrg({ clock })
  const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
  const numbers: number[] = []
  let published = 0
  return {
    clock,
    org,
    numbers,
    publish(count: number) {
      for (let each = 0; each < count; each++) org.publish(channel, { Number__c: ++published })
    },
    async run(from = org, fetch = from.fetch): Promise<DrainReport> {
      let report: DrainReport | undefined
      let error: unknown
      drain(
        { auth: from.session(), replayStore, platform: { ...platform, fetch } },
        { channels: [channel], handle: ({ payload }) => numbers.push((payload as { Number__c: number }).Number__c) },
      ).then(
        ([first]) => {
          report = first
        },
        (reason: unknown) => {
          error = reason
        },
      )
      await clock.runUntil(() => report !== undefined || error !== undefined, 600_000)
      if (error !== undefined) throw error
      return report as DrainReport
    },
  }
}

test('a position that is older than the retention is told in the report, and all there is follows', async () => {
  const { clock, numbers, publish, run } = drains()
  publish(2)
  expect(await run()).toMatchObject({ events: 2, ended: 'idle', gaps: [] })
  await clock.advance(80 * 3_600_000)
  publish(2)
  expect(await run()).toMatchObject({ events: 2, gaps: [{ reason: 'position-refused', to: 'all' }] })
  expect(numbers).toEqual([1, 2, 3, 4])
})

test('an org other than the one that positions are kept of is told in the report', async () => {
  const items = new Map<string, string>()
  const store = kvReplayStore({
    get: async (key) => items.get(key) ?? null,
    put: async (key, value) => void items.set(key, value),
    delete: async (key) => void items.delete(key),
    list: async ({ prefix }) => ({ keys: [...items.keys()].filter((name) => name.startsWith(prefix)).map((name) => ({ name })) }),
  })
  const { clock, publish, run } = drains(store)
  publish(1)
  expect(await run()).toMatchObject({ events: 1, gaps: [] })
  const elsewhere = createMockOrg({ clock, seed: 9, instanceUrl: 'https://other.my.salesforce.com' })
  expect(await run(elsewhere)).toMatchObject({ events: 0, gaps: [{ reason: 'unknown-org', to: 'all' }] })
})

test('an org that does not answer holds a drain no longer than maxMs', async () => {
  const { clock, run, org } = drains()
  const began = clock.now()
  expect(await run(org, () => new Promise(() => {}))).toMatchObject({ events: 0, ended: 'maxMs' })
  expect(clock.now() - began).toBeLessThan(25_000)
})

test('a handler that fails is why a drain rejects, also where the position before cannot be saved', async () => {
  const clock = virtualClock()
  const org = createMockOrg({ clock })
  const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
  const replayStore: ReplayStore = { load: async () => undefined, save: () => Promise.reject(new Error('KV is away')) }
  for (let number = 1; number <= 3; number++) org.publish(channel, { Number__c: number })
  let error: unknown
  drain(
    { auth: org.session(), replayStore, platform },
    {
      channels: [channel],
      handle({ payload }) {
        if ((payload as { Number__c: number }).Number__c === 3) throw new Error('the database is away')
      },
    },
  ).catch((reason: unknown) => {
    error = reason
  })
  await clock.runUntil(() => error !== undefined, 60_000)
  expect(error).toMatchObject({ message: 'the database is away' })
})

test('a bound that is left undefined is the default one', async () => {
  const clock = virtualClock()
  const org = createMockOrg({ clock })
  const fetch = (): Promise<Response> => new Promise(() => {})
  const platform = { fetch, now: clock.now, delay: clock.delay, random: clock.random }
  let report: DrainReport | undefined
  const client = { auth: org.session(), replayStore: memoryReplayStore(), platform }
  void drain(client, { channels: [channel], handle() {}, until: { maxMs: undefined } as object }).then(([first]) => {
    report = first
  })
  await clock.runUntil(() => report !== undefined, 25_000)
  expect(report).toMatchObject({ ended: 'maxMs' })
})
