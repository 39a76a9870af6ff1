import { type ClientStatus, createClient, memoryReplayStore, SfStreamError, type StreamingClient } from '@sfstream/core'
import { createMockOrg, virtualClock } from '@sfstream/mock-org'
import { describe, expect, test } from 'vitest'

/**
 * Client, org and consumers under random faults, in virtual time. What was published since the channels were first accepted
 * is handled, in order, and twice only across a restart or after a reported gap. A failing seed replays exactly:
 * `SFSTREAM_SEEDS=17 vitest run packages/conformance/test/simulation.test.ts`; `SFSTREAM_SEEDS=1-500` runs a range.
 */

const channels = ['/event/Low_Ink__e', '/data/AccountChangeEvent', '/topic/InvoiceStatementUpdates', '/u/notifications/ExampleUserChannel']
const minuteMs = 60_000

interface Handled {
  id: string
  run: number
  gaps: number
}

async function simulate(seed: number): Promise<void> {
  const clock = virtualClock({ seed })
  const random = clock.random
  const chance = (p: number): boolean => random() < p
  const upTo = (n: number): number => Math.floor(random() * n)
  const org = createMockOrg({
    clock,
    seed,
    switches: {
      dataOrder: chance(0.5) ? 'before-reply' : 'after-reply',
      dataOn: chance(0.5) ? 'connect' : 'any-reply',
      bareUnknownClient: chance(0.3),
      reverseReplies: chance(0.3),
      numericIds: chance(0.3),
      revalidateTokenMs: chance(0.3) ? upTo(5 * minuteMs) : 0,
    },
  })
  const replayStore = memoryReplayStore()
  const handled = new Map<string, Handled[]>(channels.map((channel) => [channel, []]))
  const gaps = new Map<string, number>()
  const failures: unknown[] = []
  let run = 0
  let slow = false
  let handshakesAllowed = 0

  const start = (): { client: StreamingClient; kill: AbortController; readers: Promise<void>[]; accepted: () => number } => {
    let accepted = 0
    const kill = new AbortController()
    const client = createClient({
      auth: () => Promise.resolve(org.session()),
      replayStore,
      signal: kill.signal,
      platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
    })
    handshakesAllowed += 3
    const statuses = (async () => {
      for await (const status of client.status() as AsyncIterable<ClientStatus>) {
        if (status.type === 'replayGap') gaps.set(status.channel, (gaps.get(status.channel) ?? 0) + 1)
      }
    })()
    const readers = channels.map(async (channel) => {
      while (!kill.signal.aborted) {
        const mine = ++run
        const subscription = client.subscribe(channel, { maxBuffered: 10 + upTo(50) })
        const count = (): void => void accepted++
        subscription.ready.then(count, () => {})
        let broke = false
        try {
          for await (const event of subscription) {
            if (slow && chance(0.5)) await new Promise<void>((resolve) => void clock.delay(resolve, upTo(90_000)))
            if (kill.signal.aborted) return
            handled.get(channel)?.push({ id: String(event.replayId), run: mine, gaps: gaps.get(channel) ?? 0 })
            if (chance(0.002)) {
              broke = true
              break
            }
          }
          if (!broke) return
          await subscription.close()
        } catch (error) {
          if (kill.signal.aborted) return
          // Two tokens revoked in a row are the caller's turn, who tries once more.
          if (!(error instanceof SfStreamError && error.code === 'token_refused')) {
            failures.push(error)
            return
          }
          await new Promise<void>((resolve) => void clock.delay(resolve, minuteMs))
          client.start().catch(() => {})
        }
      }
    })
    return { client, kill, readers: [...readers, statuses], accepted: () => accepted }
  }

  let now = start()
  await clock.runUntil(() => now.accepted() >= channels.length, 6 * 60 * minuteMs)
  // Where nothing was ever finished there is no position to come back to after a restart.
  for (let round = 0; round < 2; round++) {
    for (const channel of channels) org.publishSample(channel)
    await clock.runUntil(() => channels.every((channel) => (handled.get(channel)?.length ?? 0) > round))
  }
  const before = new Map(channels.map((channel) => [channel, org.inspect.published(channel).length]))

  let online = (): void => {}
  for (let step = 0; step < 60; step++) {
    for (const channel of channels) for (let n = chance(0.15) ? upTo(80) : upTo(3); n > 0; n--) org.publishSample(channel)
    handshakesAllowed += 4
    switch (upTo(13)) {
      case 0:
        org.faults.loseSessions({ kicked: chance(0.3) })
        break
      case 1:
        org.faults.revokeTokens()
        break
      case 2:
        org.faults.disconnect()
        break
      case 3:
        org.faults.cutConnections()
        break
      case 4:
        online()
        online = org.faults.offline()
        handshakesAllowed += 20
        break
      case 5:
        org.faults.busy({ on: (['handshake', 'connect', 'subscribe'] as const)[upTo(3)] ?? 'connect', times: 1 + upTo(4) })
        break
      case 6:
        org.faults.next({ on: 'cometd', kind: 'delay', ms: upTo(40_000), times: 1 + upTo(4) })
        break
      case 7:
        org.faults.next({ on: 'connect', kind: 'cut', afterBytes: upTo(3_000) })
        break
      case 8:
        org.faults.next({ on: 'cometd', kind: 'network-error', lost: chance(0.5) ? 'request' : 'reply', times: 1 + upTo(3) })
        break
      case 9:
        org.faults.next({ on: 'any', kind: 'http', status: [500, 503, 408, 429][upTo(4)] ?? 500, times: 1 + upTo(3) })
        break
      case 10:
        slow = !slow
        break
      case 11: {
        const old = now
        old.kill.abort(new Error('killed'))
        for (let left = 10; left > 0; left--) await clock.advance(30_000)
        await Promise.all(old.readers)
        now = start()
        break
      }
      default:
        break
    }
    // Faults also meet those on their way.
    await clock.advance(upTo(chance(0.3) ? 10_000 : 6 * minuteMs))
    if (chance(0.5)) online()
    expect(org.inspect.maxConcurrentConnects, 'connects at once').toBeLessThanOrEqual(1)
  }

  online()
  org.faults.clear()
  slow = false
  await clock.advance(90 * minuteMs)
  for (const channel of channels) org.publishSample(channel)
  await clock.advance(10 * minuteMs)

  for (const failure of failures) expect(failure).toBeInstanceOf(SfStreamError)
  expect(failures).toEqual([])
  expect(now.client.state).toBe('live')
  for (const channel of channels) {
    const published = org.inspect.published(channel).map(({ replayId }) => String(replayId))
    const wanted = published.slice(before.get(channel))
    const seen = handled.get(channel) ?? []
    const ids = new Set(seen.map(({ id }) => id))
    expect(
      wanted.filter((id) => !ids.has(id)),
      `${channel}: lost`,
    ).toEqual([])
    const place = new Map(published.map((id, at) => [id, at]))
    for (let at = 1; at < seen.length; at++) {
      const [last, next] = [seen[at - 1] as Handled, seen[at] as Handled]
      if (next.run !== last.run || next.gaps !== last.gaps) continue
      expect(place.get(next.id), `${channel}: out of order, or handled twice, at ${next.id}`).toBeGreaterThan(place.get(last.id) ?? -1)
    }
  }
  expect(org.inspect.handshakes, 'handshakes').toBeLessThan(handshakesAllowed)
  await Promise.all([now.client.stop(), clock.advance(3_000)])
  await Promise.all(now.readers)
  expect(org.inspect.slots.used).toBe(0)
  expect(clock.pending).toBe(0)
}

const [first, last = first] = (process.env.SFSTREAM_SEEDS ?? '1-140').split('-').map(Number) as [number, number?]
/** Open defects: events of an earlier subscription that are still queued at the org overtake the replay. */
const open = [65, 101]
const seeds = Array.from({ length: last - first + 1 }, (_, at) => first + at).filter((seed) => last === first || !open.includes(seed))
const groups = Array.from({ length: Math.ceil(seeds.length / 10) }, (_, at) => seeds.slice(at * 10, at * 10 + 10))

describe('random faults', () => {
  test.each(groups.map((group) => [group[0], group.at(-1), group] as const))(
    'seeds %i to %i lose nothing and repeat nothing',
    async (_first, _last, group) => {
      for (const seed of group) {
        try {
          await simulate(seed)
        } catch (error) {
          throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
        }
      }
    },
  )

  // Mended, these belong to the others: then this fails, and says so.
  test.fails.each(process.env.SFSTREAM_SEEDS ? [] : open)('seed %i still repeats an event', (seed) => simulate(seed))
})
