import { expect, test } from 'vitest'
import { channel, follow, objectBench } from './object-bench.ts'

const events = (): Request => new Request(`https://object/events?channel=${channel}`, { headers: { accept: 'text/event-stream' } })

test('a page that comes back before the alarm, after an eviction: one session, for the loop and for the page', async () => {
  const { clock, org, make, publish } = objectBench()
  await make().start()
  await clock.runUntil(() => org.inspect.slots.used === 1)
  // Evicted: nobody says goodbye, and the org forgets after a while.
  await clock.advance(60_000)
  org.faults.loseSessions()
  const handled: unknown[] = []
  const next = make((event) => handled.push(event.replayId))
  const response = await next.fetch(events())
  const page = follow(response)
  await clock.runUntil(() => page.text.includes('event: subscribed'))
  await next.alarm()
  await clock.advance(2_000)
  expect(next.made).toHaveLength(1)
  publish(2)
  await clock.runUntil(() => handled.length === 2 && (page.text.match(/Number__c/g)?.length ?? 0) === 2)
  await next.stop()
})

test('a handler that fails: the page is told to come back, and gets from the next loop what it has missed', async () => {
  const { clock, make, publish } = objectBench()
  let isBroken = false
  const object = make(() => {
    if (isBroken) throw new Error('the database is away')
  })
  await object.start()
  const page = follow(await object.fetch(events()))
  await clock.runUntil(() => page.text.includes('event: subscribed'))
  isBroken = true
  publish(2)
  await clock.runUntil(() => page.done)
  expect(page.text).toContain('event: bye')
  isBroken = false
  await object.alarm()
  const id = [...page.text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] as string
  const again = follow(await object.fetch(new Request(events(), { headers: { accept: 'text/event-stream', 'last-event-id': id } })))
  publish(1)
  const numbers = (): string[] => [...(page.text + again.text).matchAll(/"Number__c":(\d+)/g)].map(([, number]) => number as string)
  await clock.runUntil(() => numbers().length >= 3)
  expect(numbers()).toEqual(['1', '2', '3'])
  await object.stop()
})
