import { type BayeuxMessage, createClient, memoryReplayStore, type ReplayStore } from '@sfstream/core'
import { virtualClock } from '@sfstream/mock-org'
import { createRelay } from '@sfstream/relay'
import { relay as relaySource } from '@sfstream/relay/client'
import { describe, expect, test } from 'vitest'
import { type ScriptedSource, scriptedSource } from '../../core/test/support/scripted-source.ts'
import { channel, url } from './relay-bench.ts'

const event = (n: string, replayId: number, text = ''): BayeuxMessage => ({
  channel,
  data: { payload: { n, text }, event: { replayId, EventUuid: `uuid-${n}` } },
})

/** A relay over Sources that a test plays: the one of its live session, and one for each replay. */
function rig() {
  const clock = virtualClock()
  const sources: { purpose: string; source: ScriptedSource }[] = []
  const platform = { fetch: () => Promise.reject(new Error('no network here')), now: clock.now, delay: clock.delay, random: clock.random }
  const served = createRelay({
    connect: (purpose) => {
      const source = scriptedSource()
      sources.push({ purpose, source })
      return createClient({ source, replayStore: null, platform })
    },
    channels: [channel],
    authorize: () => true,
    platform,
  })
  const ofPurpose = (wanted: string): ScriptedSource => sources.find(({ purpose }) => purpose === wanted)?.source as ScriptedSource
  const reader = (replayStore: ReplayStore = memoryReplayStore(), replay: 'stored' | 'all' = 'stored') => {
    const ports = { ...platform, fetch: async (input: string | URL, init?: RequestInit) => served(new Request(input, init)) }
    const client = createClient({ source: relaySource(url, { platform: ports }), replayStore, platform: ports })
    const seen: string[] = []
    const loop = async (): Promise<void> => {
      for await (const { payload } of client.subscribe<{ n: string }>(channel, { replay })) seen.push(payload.n)
    }
    loop().catch((error: unknown) => seen.push(String(error)))
    return { client, seen }
  }
  return { clock, reader, live: () => ofPurpose('live'), replay: () => ofPurpose('replay') }
}

describe('events of one replay id, to readers of a relay [PROTOCOL D4, L2]', () => {
  test('of which a reply broke off: who leaves then, and comes back, gets the others', async () => {
    const { clock, reader, live } = rig()
    const store = memoryReplayStore()
    const before = reader(store)
    await clock.advance(1_000)
    live().feed.reply([event('1', 1)])
    await clock.advance(1_000)
    live().feed.reply([event('2a', 2)], { complete: false })
    await clock.advance(1_000)
    await before.client.stop()
    live().feed.lose()
    await clock.advance(1_000)
    live().feed.reply([event('2a', 2), event('2b', 2), event('3', 3)])
    await clock.advance(1_000)
    const afterwards = reader(store)
    await clock.advance(60_000)
    expect([...new Set([...before.seen, ...afterwards.seen])]).toEqual(['1', '2a', '2b', '3'])
  })

  test('of which the reply of a replay broke off, while the live window has them all: who stays gets the others', async () => {
    const { clock, reader, live, replay } = rig()
    reader()
    await clock.advance(1_000)
    live().feed.reply([event('1', 1), event('2a', 2), event('2b', 2), event('3', 3)])
    await clock.advance(1_000)
    const { seen } = reader(memoryReplayStore(), 'all')
    await clock.advance(1_000)
    replay().feed.reply([event('0', 0), event('2a', 2)], { complete: false })
    await clock.advance(1_000)
    replay().feed.lose()
    await clock.advance(1_000)
    replay().feed.reply([event('2a', 2), event('2b', 2), event('3', 3)])
    await clock.advance(60_000)
    expect(seen).toEqual(['0', '2a', '2b', '3'])
  })

  test('that fill more than one batch of a replay: none comes twice', async () => {
    const { clock, reader, live, replay } = rig()
    reader()
    await clock.advance(1_000)
    const group = Array.from({ length: 40 }, (_, at) => event(`2-${at}`, 2, 'x'.repeat(40_000)))
    const all = [event('1', 1), ...group, event('3', 3)]
    live().feed.reply(all)
    await clock.advance(1_000)
    const { seen } = reader(memoryReplayStore(), 'all')
    await clock.advance(1_000)
    replay().feed.reply([event('0', 0), ...all])
    await clock.advance(60_000)
    expect(seen).toEqual(['0', '1', ...group.map((_, at) => `2-${at}`), '3'])
  })
})
