import { createClient, memoryReplayStore } from '@sfstream/core'
import { createMockOrg, type MockOrg, virtualClock } from '@sfstream/mock-org'
import { expect, test } from 'vitest'
import { sharedTabs } from '../src/shared-tabs/shared-tabs.ts'
import { channel, type Numbered } from './tab-bench.ts'
import { tabWorld } from './tab-world.ts'

test('in another org every tab goes on from its own position there, though ids of both orgs are alike', async () => {
  const clock = virtualClock()
  const here = createMockOrg({ clock })
  const there = createMockOrg({ clock, seed: 9, instanceUrl: 'https://other.my.salesforce.com' })
  let org: MockOrg = here
  const tabs = tabWorld(clock)
  const { now, delay, random } = clock
  const fetch = (input: string | URL, init?: RequestInit): Promise<Response> =>
    (new URL(input).hostname.startsWith('other.') ? there : here).fetch(input, init)
  const platform = { fetch, now, delay, random }
  for (let at = 1; at <= 10; at++) there.publish(channel, { Number__c: 100 + at }, { replayId: 1_000 + at })
  const open = (replayStore = memoryReplayStore()) => {
    const tab = tabs.open()
    const connect = () => createClient({ auth: async () => org.session(), replayStore: null, platform })
    const client = createClient({ source: sharedTabs({ connect, ports: tab.ports, platform }), replayStore, platform })
    const numbers: number[] = []
    const gaps: unknown[] = []
    void (async () => {
      for await (const status of client.status()) if (status.type === 'replayGap') gaps.push(status)
    })()
    void (async () => {
      for await (const event of client.subscribe<Numbered>(channel)) numbers.push(event.payload.Number__c)
    })().catch(() => {})
    return { client, numbers, gaps }
  }
  const was = memoryReplayStore()
  await was.save({ org: there.orgId.slice(0, 15), channel, consumer: 'default' }, { replayId: 1_003 })
  const first = open()
  const second = open(was)
  await clock.runUntil(() => [first, second].every(({ client }) => client.state === 'live'))
  await clock.advance(2_000)
  for (let at = 1; at <= 10; at++) here.publish(channel, { Number__c: at }, { replayId: 1_000 + at })
  await clock.runUntil(() => [first, second].every(({ numbers }) => numbers.length === 10))
  org = there
  here.faults.revokeTokens()
  here.faults.loseSessions()
  await clock.advance(120_000)
  there.publish(channel, { Number__c: 111 })
  await clock.advance(60_000)
  expect(first.numbers.slice(10)).toEqual([111])
  expect(second.numbers.slice(10)).toEqual([104, 105, 106, 107, 108, 109, 110, 111])
  expect(first.gaps[0]).toMatchObject({ reason: 'other-org' })
  for (const { client } of [first, second]) await client.stop()
})
