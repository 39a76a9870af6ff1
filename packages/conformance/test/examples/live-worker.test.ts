import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { Miniflare, supportedCompatibilityDate } from 'miniflare'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchChromium } from '../browsers/chromium-browser.ts'
import { bundleWorker } from '../workers/worker.ts'

const channel = '/event/Order_Event__e'
let server: MockOrgServer
let browser: Browser
let miniflare: Miniflare
let url: string

beforeAll(async () => {
  server = await startMockOrgServer()
  browser = await launchChromium()
  const { clientId, clientSecret } = server.org.credentials
  miniflare = new Miniflare({
    modules: true,
    host: '127.0.0.1',
    port: 0,
    script: await bundleWorker('../../../../examples/live-worker/worker.ts'),
    compatibilityDate: supportedCompatibilityDate,
    durableObjects: { LIVE: { className: 'LiveObject', useSQLite: true } },
    bindings: { SF_LOGIN_URL: server.url, SF_CLIENT_ID: clientId, SF_CLIENT_SECRET: clientSecret, SF_CHANNEL: channel },
  })
  url = String(await miniflare.ready)
})
afterAll(async () => {
  await browser?.close()
  await miniflare?.dispose()
  await server.close()
})

const until = (condition: () => unknown): Promise<unknown> => vi.waitUntil(condition, { timeout: 20_000, interval: 20 })

test('an object that works off every event, and two pages that see them, on one session', async () => {
  const started = await fetch(new URL('/start', url), { method: 'POST' })
  expect(await started.json()).toMatchObject({ wanted: true, running: true })
  const pages = [await browser.newPage(), await browser.newPage()]
  for (const page of pages) {
    await page.goto(url)
    await page.getByText('Listening.').waitFor()
  }
  for (let number = 1; number <= 20; number++) server.org.publish(channel, { Number__c: number })
  for (const page of pages) {
    await until(async () => (await page.locator('#events li').count()) === 20)
    const texts = await page.locator('#events li').allTextContents()
    expect(texts.map((text) => JSON.parse(text).Number__c).reverse()).toEqual(Array.from({ length: 20 }, (_, at) => at + 1))
  }
  await until(async () => (await (await fetch(new URL('/seen', url))).text()) === '20')
  expect(server.org.inspect.slots.peak).toBe(1)
  if (process.env.SCREENSHOTS) await pages[0]!.screenshot({ path: `${process.env.SCREENSHOTS}/live-worker.png` })
})
