import { expect } from '@playwright/test'
import { pageTest as test } from './page-test.ts'

const channel = '/event/Order_Event__e'

test.use({
  script: `
    import { createClient } from '@sfstream/browser'
    addEventListener('pageshow', ({ persisted }) => console.log('shown', persisted))
    const client = createClient({ auth: async () => window.session })
    for await (const { payload } of client.subscribe('${channel}')) console.log('event', payload.Number__c)
  `,
})

test('a page that is left says goodbye; coming back it goes on where it was, and nothing is lost', async ({ host, page }) => {
  const seen: number[] = []
  page.on('console', (message) => {
    const number = /^event (\d+)$/.exec(message.text())
    if (number) seen.push(Number(number[1]))
  })
  const publish = (number: number): unknown => host.org.publish(channel, { Number__c: number })
  const listens = (): Promise<void> => expect.poll(() => host.org.inspect.subscriptions[channel]).toBe(1)
  const sees = (number: number): Promise<void> => expect.poll(() => seen).toContain(number)

  await page.goto(`${host.url}/page/`)
  await listens()
  publish(1)
  publish(2)
  await sees(2)
  await page.goto(`${host.url}/other/`)
  await expect.poll(() => host.org.inspect.slots.used).toBe(0)
  publish(3)
  // From the back/forward cache: the same page, with its loop still running. What it wrote to the console before is told once more.
  const restored = page.waitForEvent('console', { predicate: (message) => message.text() === 'shown true', timeout: 10_000 })
  await page.goBack({ waitUntil: 'commit' })
  await restored
  await sees(3)
  await listens()
  publish(4)
  await sees(4)
  await page.reload()
  await listens()
  publish(5)
  await sees(5)
  // The event in hand when a page is reloaded is not finished, and comes again.
  expect([...new Set(seen)]).toEqual([1, 2, 3, 4, 5])
  expect(host.org.inspect.maxConcurrentConnects).toBe(1)
})
