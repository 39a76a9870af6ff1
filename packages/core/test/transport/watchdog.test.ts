import { createMockOrg, type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { describe, expect, it } from 'vitest'
import { createClient, type Platform } from '../../src/index.ts'

const channel = '/event/Order_Event__e'
const minuteMs = 60_000

function rig(time: (clock: VirtualClock) => Pick<Platform, 'now' | 'delay'>) {
  const clock = virtualClock()
  const org = createMockOrg({ clock })
  const client = createClient({ auth: org.session(), platform: { ...time(clock), fetch: org.fetch, random: clock.random } })
  const errors: string[] = []
  const events: unknown[] = []
  const watch = async (): Promise<void> => {
    for await (const status of client.status()) if (status.type === 'retry') errors.push(status.error.message)
  }
  const listen = async (): Promise<void> => {
    for await (const { payload } of client.subscribe<{ Number__c: number }>(channel)) events.push(payload.Number__c)
  }
  const ended = Promise.all([watch(), listen()])
  return {
    ...{ clock, org, errors, events },
    listens: () =>
      clock.runUntil(() => org.inspect.subscriptions[channel] === 1 && org.inspect.sessions.some(({ connected }) => connected)),
    async end() {
      await Promise.all([client.stop(), clock.advance(3 * minuteMs)])
      await ended
    },
  }
}

describe('deadlines, and timers that come late [PROTOCOL T1]', () => {
  it('a page in the background, whose timers run once a minute, keeps its polls and its session', async () => {
    const { clock, org, errors, events, listens, end } = rig(({ now, delay }) => ({
      now,
      delay: (callback, delayMs) => delay(callback, Math.ceil((now() + delayMs) / minuteMs) * minuteMs - now()),
    }))
    await listens()
    await clock.advance(120 * minuteMs)
    org.publish(channel, { Number__c: 1 })
    await clock.settle()
    expect({ errors, events, handshakes: org.inspect.handshakes }).toEqual({ errors: [], events: [1], handshakes: 1 })
    // Polls of 110 s each.
    expect(org.inspect.sessions[0]?.connects).toBeGreaterThan(60)
    await end()
  })

  it('a machine that wakes notices within 15 s that it slept, though its connection looks alive', async () => {
    let sleptMs = 0
    const { clock, org, errors, events, listens, end } = rig(({ now, delay }) => ({ now: () => now() + sleptMs, delay }))
    await listens()
    // Less than a deadline: only the lateness tells.
    sleptMs = 100_000
    await clock.advance(16_000)
    expect(errors).toEqual([expect.stringMatching(/asleep for 11\d{4} ms/)])
    await listens()
    org.publish(channel, { Number__c: 1 })
    await clock.settle()
    expect(events).toEqual([1])
    await end()
  })
})
