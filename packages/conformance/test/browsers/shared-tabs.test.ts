import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type OrgHost, startOrgHost } from '../../src/host/org-host.ts'
import { servePage } from './bundle-page.ts'
import { launchChromium } from './chromium-browser.ts'

const channel = '/event/Order_Event__e'
let host: OrgHost
let browser: Browser
let context: BrowserContext
const counts = 400

beforeAll(async () => {
  host = await startOrgHost()
  await servePage(
    host,
    `
      import { createClient, sharedTabs } from '@sfstream/browser'
      const paceMs = Number(new URLSearchParams(location.search).get('pace'))
      const session = JSON.parse(localStorage.session)
      const source = sharedTabs({ connect: () => createClient({ auth: async () => session, replayStore: null }) })
      const client = createClient({ source })
      window.numbers = []
      window.gaps = 0
      const watch = async () => { for await (const { type } of client.status()) if (type === 'replayGap') window.gaps++ }
      watch()
      const subscription = client.subscribe('${channel}', { replay: 'new', maxBuffered: 20 })
      subscription.ready.then(() => { window.ready = true })
      for await (const { payload } of subscription) {
        window.numbers.push(payload.Number__c)
        if (paceMs) await new Promise((resolve) => setTimeout(resolve, paceMs))
      }
    `,
  )
  browser = await launchChromium()
  context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`${host.url}/other/`)
  await page.evaluate((session) => localStorage.setItem('session', session), JSON.stringify(host.org.session()))
  await page.close()
})
afterAll(async () => {
  await browser?.close()
  await host.close()
})

let published = 0
const publish = (count: number): void => {
  for (let each = 0; each < count; each++) host.org.publish(channel, { Number__c: ++published })
}
const numbers = (page: Page): Promise<number[]> => page.evaluate('window.numbers')
const until = (condition: () => Promise<boolean>): Promise<unknown> => vi.waitUntil(condition, { timeout: 20_000, interval: 20 })
const open = async (paceMs = 0): Promise<Page> => {
  const page = await context.newPage()
  await page.goto(`${host.url}/page/?pace=${paceMs}`)
  await until(() => page.evaluate('window.ready === true'))
  return page
}
const upTo = (last: number): number[] => Array.from({ length: last }, (_, at) => at + 1)

test('Chromium: two tabs hold one session; when the one that leads is closed amid events, the other takes over, and nothing is lost', async () => {
  const leader = await open()
  const slow = await open(3)
  expect(host.org.inspect.slots.used).toBe(1)
  publish(counts)
  await until(async () => (await numbers(leader)).length === counts)
  expect(await numbers(leader)).toEqual(upTo(counts))
  // The slow one is still at work; the org knows of one client, then as before.
  expect((await numbers(slow)).length).toBeLessThan(counts)
  expect(host.org.inspect.slots.peak).toBe(1)
  publish(counts)
  await leader.close()
  publish(counts)
  await until(async () => (await numbers(slow)).length === published)
  expect(await numbers(slow)).toEqual(upTo(published))
  expect(await slow.evaluate('window.gaps')).toBe(0)
  expect(host.org.inspect.slots.used).toBe(1)
  await slow.close()
})

test('Chromium: a tab that leads and is left lets go, is kept by the back/forward cache, and joins again', async () => {
  const first = await open()
  const second = await open()
  const before = published
  publish(2)
  await until(async () => (await numbers(first)).length === 2 && (await numbers(second)).length === 2)
  await first.goto(`${host.url}/other/`)
  publish(2)
  await until(async () => (await numbers(second)).length === 4)
  await first.goBack({ waitUntil: 'commit' })
  await until(async () => ((await first.evaluate('window.numbers?.length ?? 0')) as number) === 4)
  // The same page as before: its loop went on.
  expect(await numbers(first)).toEqual([1, 2, 3, 4].map((number) => before + number))
  publish(1)
  await until(async () => (await numbers(first)).length === 5 && (await numbers(second)).length === 5)
  expect(host.org.inspect.slots.used).toBe(1)
})
