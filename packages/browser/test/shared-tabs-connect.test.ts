import { createClient, memoryReplayStore, type StreamingClient } from '@sfstream/core'
import { expect, test } from 'vitest'
import { channel, tabBench } from './tab-bench.ts'

test('a session that has failed and is begun again in the same org gives its tabs their channels back', async () => {
  const { clock, org, publish, open } = tabBench()
  let session = org.session()
  const connect = (): StreamingClient =>
    createClient({
      auth: async () => session,
      replayStore: null,
      platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
    })
  const tabs = [open({ connect }), open({ connect })]
  const reads = tabs.map((tab) => tab.read())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
  org.faults.revokeTokens()
  org.faults.loseSessions()
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'failed'))
  for (const { ended } of reads) await expect(ended).rejects.toMatchObject({ code: 'token_refused' })
  session = org.session()
  const starts = tabs.map(({ client }) => client.start())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
  await Promise.all(starts)
  const again = tabs.map((tab) => tab.read())
  await clock.runUntil(() => org.inspect.subscriptions[channel] === 1, 60_000)
  await clock.advance(2_000)
  publish(2)
  await clock.runUntil(() => again.every(({ numbers }) => numbers.length === 2))
  for (const { client } of tabs) await client.stop()
})

test('when the tab that led a failed session is closed, no other begins it again unasked', async () => {
  const { clock, org, publish, open } = tabBench()
  let session = { accessToken: 'refused', instanceUrl: org.url }
  let made = 0
  const connect = (): StreamingClient => {
    made++
    return createClient({
      auth: async () => session,
      replayStore: null,
      platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
    })
  }
  const tabs = [open({ connect }), open({ connect }), open({ connect })] as const
  for (const tab of tabs) tab.read()
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'failed'))
  await clock.advance(60_000)
  const before = made
  session = org.session()
  await tabs[0].client.stop()
  await clock.advance(60_000)
  expect(made).toBe(before)
  expect(tabs[2].client.state).toBe('failed')
  const starting = tabs[2].client.start()
  await clock.runUntil(() => tabs[2].client.state === 'live', 60_000)
  await starting
  const { numbers } = tabs[2].read()
  await clock.advance(2_000)
  publish(1)
  await clock.runUntil(() => numbers.length === 1, 60_000)
  await tabs[1].client.stop()
  publish(1)
  await clock.runUntil(() => numbers.length === 2, 60_000)
  await tabs[2].client.stop()
})

test('a tab that has only been started is connected by whichever tab leads', async () => {
  const { clock, org, open } = tabBench()
  org.faults.next({ on: 'handshake', kind: 'delay', ms: 600_000 })
  const tabs = [open(), open()] as const
  const started = tabs.map(({ client }) => client.start())
  for (const each of started) each.catch(() => {})
  await clock.advance(5_000)
  expect(tabs[1].client.state).toBe('handshaking')
  tabs[0].tab.crash()
  await clock.runUntil(() => tabs[1].client.state === 'live', 60_000)
  await started[1]
  expect(org.inspect.subscriptions).toEqual({})
  await tabs[1].client.stop()
})

test.each<[string, () => unknown]>([
  ['a promise', async () => tabBench().connect()],
  ['nothing', () => undefined],
  ['what is no client', () => ({})],
])('a connect that returns %s fails every tab, and says what to return', async (_, connect) => {
  const { clock, open } = tabBench()
  const tabs = [open({ connect: connect as () => StreamingClient }), open({ connect: connect as () => StreamingClient })]
  const reads = tabs.map((tab) => tab.read())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'failed'), 60_000)
  for (const { ended } of reads)
    await expect(ended).rejects.toMatchObject({ code: 'bad_option', message: expect.stringContaining('connect returned') })
  for (const { client } of tabs) await client.stop()
})

test('a connect whose clients keep positions, in the very store of the tab, moves none past an event in hand', async () => {
  const { clock, org, publish, open } = tabBench()
  const replayStore = memoryReplayStore()
  const connect = (): StreamingClient =>
    createClient({
      auth: org.session(),
      replayStore,
      platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
    })
  const first = open({ replayStore, connect })
  const { numbers } = first.read({ body: () => new Promise(() => {}) })
  await clock.runUntil(() => first.client.state === 'live')
  await clock.advance(2_000)
  publish(5)
  await clock.runUntil(() => numbers.length === 1)
  // Served by a replay, which has a client of its own.
  const second = open({ connect })
  const replayed = second.read({ replay: 'all' })
  await clock.runUntil(() => replayed.numbers.length === 5)
  await clock.advance(30_000)
  expect(await replayStore.load({ org: await first.client.org(), channel, consumer: 'default' })).toBeUndefined()
  for (const { client } of [first, second]) await client.stop()
})

test('what one tab does to its events is not seen by the others', async () => {
  const { clock, publish, open } = tabBench()
  const leader = open()
  leader.read({
    body({ payload, message }) {
      payload.Number__c = -1
      delete message.data
    },
  })
  await clock.runUntil(() => leader.client.state === 'live')
  const slow = open()
  const { numbers } = slow.read({ maxBuffered: 1, body: () => new Promise<void>((resolve) => void clock.delay(resolve, 1_000)) })
  await clock.runUntil(() => slow.client.state === 'live')
  await clock.advance(2_000)
  for (let each = 0; each < 9; each++) {
    publish(1)
    await clock.advance(100)
  }
  await clock.runUntil(() => numbers.length === 9)
  expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  for (const { client } of [leader, slow]) await client.stop()
})

test('what an extension puts into messages that cannot be posted holds no tab up', async () => {
  const { clock, org, publish, open } = tabBench()
  const connect = (): StreamingClient =>
    createClient({
      auth: org.session(),
      replayStore: null,
      platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
      extensions: [{ incoming: (message) => ({ ...message, seen: () => true }) }],
    })
  const tabs = [open({ connect }), open({ connect })]
  const reads = tabs.map((tab) => tab.read())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
  await clock.advance(2_000)
  publish(3)
  await clock.runUntil(() => reads.every(({ numbers }) => numbers.length === 3))
  for (const { client } of tabs) await client.stop()
})
