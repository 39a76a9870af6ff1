import { expect, test } from '@playwright/test'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { Miniflare, supportedCompatibilityDate } from 'miniflare'
import { bundleWorker } from '../workers/worker.ts'

const channel = '/event/Order_Event__e'
let server: MockOrgServer
let miniflare: Miniflare
let url: string

test.beforeAll(async () => {
  server = await startMockOrgServer()
  const { clientId, clientSecret } = server.org.credentials
  miniflare = new Miniflare({
    modules: true,
    host: '127.0.0.1',
    port: 0,
    script: await bundleWorker('../../../../examples/live-worker/worker.ts'),
    compatibilityDate: supportedCompatibilityDate,
    durableObjects: { LIVE: { className: 'LiveObject', useSQLite: true } },
    bindings: {
      SF_LOGIN_URL: server.url,
      SF_CLIENT_ID: clientId,
      SF_CLIENT_SECRET: clientSecret,
      SF_CHANNEL: channel,
      CONTROL_SECRET: 'control',
    },
  })
  url = String(await miniflare.ready)
})
test.afterAll(async () => {
  await miniflare?.dispose()
  await server.close()
})

test('an object that works off every event, and two pages that see them, on one session', async ({ context }) => {
  for (const path of ['/start', '/stop', '/status']) {
    expect((await fetch(new URL(path, url), { method: 'POST' })).status).toBe(401)
  }
  const started = await fetch(new URL('/start', url), { method: 'POST', headers: { authorization: 'Bearer control' } })
  expect(await started.json()).toMatchObject({ wanted: true, running: true })
  const pages = [await context.newPage(), await context.newPage()]
  for (const page of pages) {
    await page.goto(url)
    await page.getByText('Listening.').waitFor()
  }
  for (let number = 1; number <= 20; number++) server.org.publish(channel, { Number__c: number })
  for (const page of pages) {
    await expect(page.locator('#events li')).toHaveCount(20)
    const texts = await page.locator('#events li').allTextContents()
    expect(texts.map((text) => JSON.parse(text).Number__c).reverse()).toEqual(Array.from({ length: 20 }, (_, at) => at + 1))
  }
  await expect.poll(async () => (await fetch(new URL('/seen', url))).text()).toBe('20')
  expect(server.org.inspect.slots.peak).toBe(1)
  if (process.env.SCREENSHOTS) await pages[0]!.screenshot({ path: `${process.env.SCREENSHOTS}/live-worker.png` })
})
