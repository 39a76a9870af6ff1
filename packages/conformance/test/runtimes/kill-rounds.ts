import type { MockOrgServer } from '@sfstream/mock-org/node'
import { expect, vi } from 'vitest'
import type { RuntimeProcess } from './runtime-process.ts'

/** What it works off. */
export const killedChannel = '/event/Order_Event__e'

/** What a program printed, a line an event: `event NUMBER REPLAY-ID durable REPLAY-ID`. */
interface Run {
  events: number[]
  /** The last event whose position the program could vouch for. */
  durable: number
}

/**
 * Kills a program in mid-stream, eight times, each time at another event, while events are published before, in between and after; each
 * time it is started again. Nothing may be lost, nothing may come out of order, and what was durable may not come again.
 */
export async function killRounds({ org }: MockOrgServer, start: () => RuntimeProcess): Promise<void> {
  const runs: Run[] = []
  let published = 0
  const publish = (count: number): void => {
    for (let each = 0; each < count; each++) org.publish(killedChannel, { Number__c: ++published })
  }
  let process = start()
  const until = (what: string, condition: () => unknown): Promise<unknown> =>
    vi.waitUntil(condition, { timeout: 20_000, interval: 5 }).catch(() => {
      throw new Error(`Not within 20 s: ${what}\n${process.out.slice(-2_000)}`)
    })
  try {
    await until('a subscription', () => org.inspect.subscriptions[killedChannel] === 1)
    publish(1)
    await until('an event', () => told(process).events.length === 1)
    for (let kill = 1; kill <= 8; kill++) {
      publish(120)
      // The first time only when there is a position to go on from.
      await until(`event ${kill * 9}`, () => told(process).events.length >= kill * 9 && told(process).durable > 0)
      process.kill('SIGKILL')
      await process.ended
      runs.push(told(process))
      expect(runs.at(-1)?.events.at(-1)).toBeLessThan(published)
      publish(10)
      process = start()
    }
    await until('the last event', () => told(process).events.at(-1) === published)
    runs.push(told(process))
  } finally {
    process.kill('SIGKILL')
    await process.ended
  }
  for (const [at, { events }] of runs.entries()) {
    const before = runs[at - 1]
    if (before) {
      expect(events[0]).toBeGreaterThan(before.durable)
      expect(events[0]).toBeLessThanOrEqual(before.events.at(-1)! + 1)
    }
    expect(events).toEqual(Array.from({ length: events.length }, (_, each) => events[0]! + each))
  }
  expect([...new Set(runs.flatMap(({ events }) => events))]).toEqual(Array.from({ length: published }, (_, at) => at + 1))
}

/** Lines that the kill has cut off do not count. */
function told({ out }: RuntimeProcess): Run {
  const lines = [...out.matchAll(/^event (\d+) (\d+) durable (\w+)$/gm)]
  const numbers = new Map(lines.map(([, number, id]) => [id, Number(number)]))
  return { events: lines.map(([, number]) => Number(number)), durable: numbers.get(lines.at(-1)?.[3]) ?? 0 }
}
