import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type OrgHost, startOrgHost } from '../../src/host/org-host.ts'
import { servePage } from './bundle-page.ts'
import { launchChromium } from './chromium-browser.ts'

const channel = '/event/Order_Event__e'
let host: OrgHost
let browser: Browser
let page: Page
const seen: number[] = []

beforeAll(async () => {
  host = await startOrgHost()
  await servePage(
    host,
    `
      import { createClient } from '@sfstream/browser'
      addEventListener('pageshow', ({ persisted }) => console.log('shown', persisted))
      const client = createClient({ auth: async () => JSON.parse(sessionStorage.session) })
      for await (const { payload } of client.subscribe('${channel}')) console.log('event', payload.Number__c)
    `,
  )
  browser = await launchChromium()
  page = await browser.newPage()
  page.on('console', (message) => {
    const number = /^event (\d+)$/.exec(message.text())
    if (number) seen.push(Number(number[1]))
  })
})
afterAll(async () => {
  await browser?.close()
  await host.close()
})

const until = (condition: () => unknown): Promise<unknown> => vi.waitUntil(condition, { timeout: 15_000, interval: 10 })
const publish = (number: number): unknown => host.org.publish(channel, { Number__c: number })
const listening = (): boolean => host.org.inspect.subscriptions[channel] === 1

test('Chromium: a page that is left says goodbye; coming back it goes on where it was, and nothing is lost', async () => {
  await page.goto(`${host.url}/other/`)
  await page.evaluate((session) => sessionStorage.setItem('session', session), JSON.stringify(host.org.session()))
  await page.goto(`${host.url}/page/`)
  await until(listening)
  publish(1)
  publish(2)
  await until(() => seen.length === 2)
  await page.goto(`${host.url}/other/`)
  await until(() => host.org.inspect.slots.used === 0)
  publish(3)
  // From the back/forward cache: the same page, with its loop still running. What it wrote to the console before is told once more.
  const restored = page.waitForEvent('console', { predicate: (message) => message.text() === 'shown true', timeout: 10_000 })
  await page.goBack({ waitUntil: 'commit' })
  await restored
  await until(() => seen.includes(3))
  await until(listening)
  publish(4)
  await until(() => seen.includes(4))
  await page.reload()
  await until(listening)
  publish(5)
  await until(() => seen.includes(5))
  // The event in hand when a page is reloaded is not finished, and comes again.
  expect([...new Set(seen)]).toEqual([1, 2, 3, 4, 5])
  expect(host.org.inspect.maxConcurrentConnects).toBe(1)
})
