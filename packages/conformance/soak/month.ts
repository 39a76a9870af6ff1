import { createMockOrg, type MockOrg, type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { garbageCollector } from './collect-garbage.ts'
import { blankDay, type Day } from './day.ts'
import { monthClient } from './month-client.ts'
import { numberedPayload, soakChannels } from './numbered-event.ts'
import type { SequenceCounts } from './sequence-check.ts'

export interface Month {
  days: readonly Day[]
  channels: Record<string, SequenceCounts & { published: number }>
  /** How each consumer's loop ended: undefined, or an error. */
  endings: readonly unknown[]
  /** The most connects that any session had in progress at once. */
  mostConnects: number
  /** What remained after `stop()`. */
  left: { timers: number; requests: number; listeners: number; slots: number }
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
/** On average, per channel. */
const pauseMs = 4 * minuteMs
/** Events each time: on the first day so many that all that remembers a number of events (10,000 for repeats) is full. */
const firstDay = 30

/**
 * A client of four channels over days of virtual time, with what an org does to each: its load balancer's cookie runs out
 * every three hours and, by day, its token every two; a release a day, a maintenance window a week. A consumer is slow for an hour a day.
 */
export async function simulateMonth(days: number, seed = 1): Promise<Month> {
  const clock = virtualClock({ seed })
  // What the org remembers for inspection must not look like a leak of the client's.
  const org = createMockOrg({
    clock,
    seed,
    memory: { events: 500, requests: 100, deliveries: 1 },
    limits: { dailyPlatformEvents: 100_000 },
  })
  const startMs = clock.now()
  const collect = garbageCollector()
  const past: Day[] = []
  let today = blankDay()
  let slow: string | undefined
  const running = monthClient({
    org,
    clock,
    today: () => today,
    handlingMs: (channel) => (channel === slow ? 3 * minuteMs : 0),
  })
  await clock.runUntil(() => running.consumers.every(({ accepted }) => accepted))

  const published = new Map<string, number>()
  const publish = (channel: string, count: number): void => {
    today.bursts += 1
    today.published += count
    for (let left = count; left > 0; left -= 1) {
      const number = (published.get(channel) ?? 0) + 1
      published.set(channel, number)
      org.publish(channel, numberedPayload(channel, number))
    }
  }
  const traffic = soakChannels.map((channel) =>
    repeatedly(
      clock,
      () => 2 * pauseMs * clock.random(),
      () => publish(channel, past.length === 0 ? firstDay : clock.random() < 0.02 ? 1 + Math.floor(clock.random() * 60) : 1),
    ),
  )
  const tokens = repeatedly(
    clock,
    () => 2 * hourMs,
    () => {
      // At night the token lives on: a new token comes with a new load balancer's cookie, which then never grows old.
      const hour = ((clock.now() - startMs) % dayMs) / hourMs
      if (hour < 8 || hour > 20) return
      today.revoked += 1
      org.faults.revokeTokens()
    },
  )

  let seen = { handshakes: 0, logins: 0 }
  for (let day = 0; day < days; day += 1) {
    const until = (ms: number): Promise<void> => clock.advance(startMs + day * dayMs + ms - clock.now())
    await until(3.5 * hourMs)
    if (day % 7 === 6) await maintenance(org, clock, today)
    await until(9.5 * hourMs)
    today.released += 1
    org.faults.disconnect()
    await until(14 * hourMs)
    slow = soakChannels[day % soakChannels.length]!
    publish(slow, 150)
    await until(15 * hourMs)
    slow = undefined
    await until(dayMs)
    const { handshakes, logins } = org.inspect
    today.handshakes = handshakes - seen.handshakes
    today.logins = logins - seen.logins
    seen = { handshakes, logins }
    collect?.()
    today.heapBytes = collect && process.memoryUsage().heapUsed
    past.push(today)
    today = blankDay()
  }

  for (const stop of [...traffic, tokens]) stop()
  await clock.advance(10 * minuteMs)
  await Promise.all([running.client.stop(), clock.advance(3_000)])
  const endings = await Promise.all(running.consumers.map(({ ended }) => ended))
  await running.told
  return {
    days: past,
    channels: Object.fromEntries(
      running.consumers.map(({ channel, check: { handled, repeated, disordered, missing } }) => [
        channel,
        { handled, repeated, disordered, missing, published: published.get(channel) ?? 0 },
      ]),
    ),
    endings,
    mostConnects: org.inspect.maxConcurrentConnects,
    left: { timers: clock.pending, requests: running.openRequests, listeners: running.listeners, slots: org.inspect.slots.used },
  }
}

/** Every session is gone, and nothing gets through for five minutes. */
async function maintenance(org: MockOrg, clock: VirtualClock, today: Day): Promise<void> {
  today.maintained += 1
  org.faults.loseSessions()
  const online = org.faults.offline()
  await clock.advance(5 * minuteMs)
  online()
}

/** Does `work` again and again, after `nextMs()` each time; returns what ends it. */
function repeatedly(clock: VirtualClock, nextMs: () => number, work: () => void): () => void {
  let cancel = clock.delay(again, nextMs())
  function again(): void {
    cancel = clock.delay(again, nextMs())
    work()
  }
  return () => cancel()
}
