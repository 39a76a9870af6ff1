import { createMockOrg, virtualClock } from '@sfstream/mock-org'
import { expect, test } from 'vitest'
import type { ReplayId } from '../../src/events/stream-event.ts'
import { catchUp } from '../../src/fan-out/catch-up.ts'
import { eventWindow } from '../../src/fan-out/event-window.ts'
import type { Member } from '../../src/fan-out/hub-reader.ts'
import { createClient } from '../../src/index.ts'

const channel = '/event/Order_Event__e'

test('a replay of large events keeps of those that were read what fits, and nobody who reads on is left behind', async () => {
  const clock = virtualClock()
  const org = createMockOrg({ clock })
  const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
  for (let number = 0; number < 400; number++) org.publish(channel, { Number__c: number })
  const client = createClient({ auth: org.session(), replayStore: null, platform })
  const member: Member<number> = {
    position: 'all',
    place: { type: 'pending' },
    notices: [],
    ready() {
      if (member.place.type !== 'window') return
      const { window } = member.place
      expect(member.place.number).toBeGreaterThanOrEqual(window.start)
      member.place.number = window.end
      member.place.onward?.taken()
    },
  }
  const positions: ReplayId[] = []
  let kept = 0
  const replay = catchUp<number>({
    channel,
    from: 'all',
    live: eventWindow({ maxEvents: 10, maxBytes: 10 }),
    connect: () => client,
    org: () => client.org(),
    wrap: () => ({ value: 0, bytes: 1_000_000 }),
    stallMs: 5_000,
    platform: { ...platform },
    reached(of, reached) {
      positions.push(...reached.map(({ position }) => position))
      kept = Math.max(kept, positions.filter((position) => of.numberAfter(position) !== undefined).length)
    },
  })
  replay.join(member, 0)
  const run = replay.run(new AbortController().signal)
  await clock.runUntil(() => positions.length === 400)
  expect(member.place).toMatchObject({ type: 'window' })
  expect(kept).toBeGreaterThan(10)
  expect(kept).toBeLessThan(100)
  await clock.advance(60_000)
  await run
})
