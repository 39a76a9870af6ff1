import { createClient, type StreamingClient } from '@sfstream/core'
import { expect, test } from 'vitest'
import { sharedTabs } from '../src/shared-tabs/shared-tabs.ts'
import { channel, tabBench } from './tab-bench.ts'

test.each([[undefined], [{}], [{ connect: 5 }]])('sharedTabs(%j) is refused when it is made', (options) => {
  expect(() => sharedTabs(options as never)).toThrow(
    expect.objectContaining({ code: 'bad_option', message: expect.stringContaining('connect') }),
  )
})

test('tabs of a machine whose clock is fast lose nothing when the leader ends before the first event', async () => {
  const { clock, publish, open } = tabBench()
  const offMs = 2 * 3_600_000
  const first = open({ offMs })
  await clock.runUntil(() => first.client.state === 'idle')
  first.read()
  await clock.runUntil(() => first.client.state === 'live')
  const second = open({ offMs })
  const { numbers } = second.read()
  await clock.runUntil(() => second.client.state === 'live')
  await clock.advance(600_000)
  first.tab.crash()
  void first.client.stop()
  publish(2)
  await clock.runUntil(() => numbers.length === 2, 600_000)
  expect(numbers).toEqual([1, 2])
  await second.client.stop()
})

test('a connect that throws fails every tab with what it threw, and start() tries again', async () => {
  const { clock, org, open } = tabBench()
  let isBroken = true
  const connect = (): StreamingClient => {
    if (isBroken) throw new TypeError('no such setting')
    return createClient({
      auth: org.session(),
      replayStore: null,
      platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
    })
  }
  const tabs = [open({ connect }), open({ connect })]
  const reads = tabs.map((tab) => tab.read())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'failed'))
  for (const { ended } of reads) await expect(ended).rejects.toThrow('no such setting')
  isBroken = false
  const starts = tabs.map(({ client }) => client.start())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
  await Promise.all(starts)
  for (const { client } of tabs) await client.stop()
})

test('a session that fails long after it began fails every tab, and start() tries again', async () => {
  const { clock, org, publish, open } = tabBench()
  let isRefused = false
  const connect = (): StreamingClient =>
    createClient({
      auth: async () => (isRefused ? { accessToken: 'x', instanceUrl: org.url } : org.session()),
      replayStore: null,
      platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
    })
  const tabs = [open({ connect }), open({ connect })]
  const reads = tabs.map((tab) => tab.read())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
  isRefused = true
  org.faults.revokeTokens()
  org.faults.loseSessions()
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'failed'))
  for (const { ended } of reads) await expect(ended).rejects.toMatchObject({ name: 'AuthenticationError' })
  isRefused = false
  const starts = tabs.map(({ client }) => client.start())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
  await Promise.all(starts)
  const again = tabs.map((tab) => tab.read())
  await clock.advance(2_000)
  publish(2)
  await clock.runUntil(() => again.every(({ numbers }) => numbers.length === 2))
  expect(org.inspect.subscriptions).toEqual({ [channel]: 1 })
  for (const { client } of tabs) await client.unsubscribe(channel)
  await clock.advance(2_000)
  expect(org.inspect.subscriptions).toEqual({})
  for (const { client } of tabs) await client.stop()
})

test('what a leader of before says counts for nothing [PROTOCOL O2]', async () => {
  const { clock, publish, open } = tabBench()
  const tabs = [open(), open()]
  const reads = tabs.map((tab) => tab.read())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
  await clock.advance(2_000)
  const error = { code: 'session_lost', message: 'Gone.', remediation: 'None.', retryable: false }
  for (const { tab } of tabs) tab.say('sfstream', { type: 'session', epoch: 1, skewMs: 0, state: 'failed', failures: 1, error })
  publish(2)
  await clock.runUntil(() => reads.every(({ numbers }) => numbers.length === 2), 600_000)
  expect(tabs.map(({ client }) => client.state)).toEqual(['live', 'live'])
  for (const { client } of tabs) await client.stop()
})

test('messages of strangers on the same channel are left alone', async () => {
  const { clock, publish, open } = tabBench()
  const tabs = [open(), open()]
  const reads = tabs.map((tab) => tab.read())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
  await clock.advance(2_000)
  const said: unknown[] = [
    null,
    'hello',
    7,
    {},
    { type: 'session', state: 'failed' },
    { type: 'session', epoch: 'x', state: 'failed' },
    { type: 'leader', epoch: Number.POSITIVE_INFINITY },
    { type: 'leader', epoch: Number.NaN },
    { type: 'present' },
    { type: 'open', epoch: 1 },
    { type: 'feed', epoch: 1e15, to: 'x', feed: 0 },
  ]
  for (const each of said) expect(() => tabs[0]?.tab.say('sfstream', each)).not.toThrow()
  publish(2)
  await clock.runUntil(() => reads.every(({ numbers }) => numbers.length === 2), 600_000)
  for (const { client } of tabs) await client.stop()
})

test('a leader whose lock is stolen lets its session go, and leads again when it is given back', async () => {
  const { clock, org, tabs: pages, publish, open } = tabBench()
  const tabs = [open(), open()]
  const reads = tabs.map((tab) => tab.read())
  await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
  await clock.advance(2_000)
  const giveBack = pages.open().steal('sfstream leader')
  await clock.advance(60_000)
  expect(org.inspect.slots.used).toBe(0)
  publish(2)
  giveBack()
  await clock.runUntil(() => reads.every(({ numbers }) => numbers.length === 2))
  expect(org.inspect.slots.used).toBe(1)
  for (const { client } of tabs) await client.stop()
  expect(tabs.every(({ tab }) => tab.isClean)).toBe(true)
})
