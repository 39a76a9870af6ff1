import { expect, test } from 'vitest'
import { channel, type OpenTab, tabBench } from './tab-bench.ts'

const stopAll = async (tabs: readonly OpenTab[]): Promise<void> => {
  for (const { client } of tabs) await client.stop()
  for (const { tab } of tabs) expect(tab.isClean).toBe(true)
}

test('a leader that is suspended without a word is replaced; when it wakes it follows, and nobody has lost or doubled anything', async () => {
  const { clock, org, publish, open } = tabBench()
  const tabs = [open(), open()] as const
  const [leader, other] = tabs
  const reads = tabs.map((tab) => tab.read())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
  await clock.advance(2_000)
  publish(2)
  await clock.runUntil(() => reads.every(({ numbers }) => numbers.length === 2))
  leader.tab.freeze()
  publish(2)
  await clock.runUntil(() => reads[1]?.numbers.length === 4, 120_000)
  expect(reads[0]?.numbers).toEqual([1, 2])
  await clock.advance(600_000)
  leader.tab.thaw()
  publish(2)
  await clock.runUntil(() => reads.every(({ numbers }) => numbers.length === 6))
  for (const { numbers } of reads) expect(numbers).toEqual([1, 2, 3, 4, 5, 6])
  await clock.advance(5_000)
  expect(org.inspect.slots.used).toBe(1)
  for (const { statuses } of tabs) expect(statuses.some(({ type }) => type === 'replayGap')).toBe(false)
  await other.client.stop()
  publish(1)
  await clock.runUntil(() => reads[0]?.numbers.length === 7)
  await stopAll(tabs)
  // What they have said last is on its way.
  await clock.advance(100)
  expect(clock.pending).toBe(0)
})

test('a suspended tab whose turn it is to lead holds nobody up', async () => {
  const { clock, publish, open } = tabBench()
  const tabs = [open(), open(), open()] as const
  const reads: { numbers: number[] }[] = []
  // One after the other, so that they stand in this order.
  for (const tab of tabs) {
    reads.push(tab.read())
    await clock.advance(2_000)
  }
  publish(1)
  await clock.runUntil(() => reads.every(({ numbers }) => numbers.length === 1))
  tabs[1].tab.freeze()
  await tabs[0].client.stop()
  publish(1)
  await clock.runUntil(() => reads[2]?.numbers.length === 2, 120_000)
  tabs[1].tab.thaw()
  await clock.runUntil(() => reads[1]?.numbers.length === 2, 120_000)
  await stopAll(tabs)
})

test('a lock that a stranger has taken, and leads nobody with, is taken back', async () => {
  const { clock, org, tabs: pages, publish, open } = tabBench()
  const tabs = [open(), open()]
  const reads = tabs.map((tab) => tab.read())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
  await clock.advance(2_000)
  pages.open().steal('sfstream leader')
  await clock.advance(2_000)
  expect(org.inspect.slots.used).toBe(0)
  publish(2)
  await clock.runUntil(() => reads.every(({ numbers }) => numbers.length === 2), 120_000)
  await clock.advance(5_000)
  expect(org.inspect.slots.used).toBe(1)
  await stopAll(tabs)
})

test('a leader that is alive is left alone, however long nothing happens', async () => {
  const { clock, org, publish, open } = tabBench()
  const tabs = [open(), open(), open()]
  const reads = tabs.map((tab) => tab.read())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
  await clock.advance(6 * 3_600_000)
  expect(org.inspect.handshakes).toBe(1)
  publish(1)
  await clock.runUntil(() => reads.every(({ numbers }) => numbers.length === 1))
  await stopAll(tabs)
})

test('a tab that is missing when the leader looks for those that have gone is not forgotten', async () => {
  const { clock, publish, open } = tabBench()
  const leader = open()
  leader.read()
  await clock.runUntil(() => leader.client.state === 'live')
  const { held } = leader.tab.ports
  const other = open()
  const { numbers } = other.read()
  await clock.runUntil(() => other.client.state === 'live')
  await clock.advance(2_000)
  // As they were before it had its own.
  const before = [...(await held())].filter((name) => !name.includes(' tab '))
  let looks = 0
  leader.tab.ports.held = async () => (looks++ === 0 ? new Set(before) : held())
  await clock.runUntil(() => looks > 0)
  publish(1)
  await clock.runUntil(() => numbers.length === 1, 5_000)
  await stopAll([leader, other])
})

test('a tab that has ended without a word is forgotten, and its channel with it', async () => {
  const { clock, org, open } = tabBench()
  const leader = open()
  await Promise.all([leader.client.start(), clock.runUntil(() => leader.client.state === 'live')])
  const other = open()
  other.read()
  await clock.runUntil(() => org.inspect.subscriptions[channel] === 1)
  other.tab.crash()
  await clock.runUntil(() => org.inspect.subscriptions[channel] === undefined, 60_000)
  await stopAll([leader])
})

test('a clock that is set forward while events keep coming costs nobody an event', async () => {
  const { clock, org, publish, open } = tabBench()
  let offMs = 0
  const [leader, tab] = [open({ offMs: () => offMs }), open({ offMs: () => offMs })]
  for (const each of [leader, tab]) each.read()
  await clock.runUntil(() => tab.client.state === 'live')
  await clock.advance(2_000)
  offMs = 3_600_000
  for (let count = 0; count < 60; count++) {
    publish(1)
    await clock.advance(5_000)
  }
  const numbers: unknown[] = []
  void (async () => {
    for await (const { payload } of tab.client.subscribe<{ Number__c: number }>('/event/Low_Ink__e')) numbers.push(payload.Number__c)
  })().catch(() => {})
  await clock.advance(1_000)
  leader.tab.crash()
  for (const number of [1, 2, 3]) org.publish('/event/Low_Ink__e', { Number__c: number })
  await clock.advance(120_000)
  expect(numbers).toEqual([1, 2, 3])
  await stopAll([tab])
})
