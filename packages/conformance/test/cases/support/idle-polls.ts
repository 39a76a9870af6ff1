import { createClient } from '@sfstream/core'
import { createMockOrg, virtualClock } from '@sfstream/mock-org'

/** Polls that bring nothing, in a process of their own: a test runner's heap grows by itself. Prints what is left after 20,000 and 30,000. */
const clock = virtualClock()
const org = createMockOrg({ clock, switches: { holdMs: 2_000, affinityMs: Number.POSITIVE_INFINITY }, memory: { requests: 100 } })
const client = createClient({
  auth: () => Promise.resolve(org.session()),
  platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
})
const iterator = client.subscribe('/event/Low_Ink__e')[Symbol.asyncIterator]()
iterator.next().catch(() => {})

/** The least of a few samples, some polls apart: what is on its way at one moment is no growth. */
async function heapAfter(polls: number): Promise<number> {
  await clock.advance(2_000 * polls)
  const collect = (globalThis as { gc?: () => void }).gc
  let least = Number.POSITIVE_INFINITY
  for (let sample = 0; sample < 5; sample++) {
    await clock.advance(2_000 * 20)
    await new Promise<void>((resolve) => void setImmediate(resolve))
    collect?.()
    collect?.()
    least = Math.min(least, process.memoryUsage().heapUsed)
  }
  return least
}

const before = { heap: await heapAfter(20_000), timers: clock.pending }
const after = { heap: await heapAfter(10_000), timers: clock.pending }
console.log(JSON.stringify({ before, after, polls: org.inspect.sessions[0]?.connects, handshakes: org.inspect.handshakes }))
process.exit(0)
