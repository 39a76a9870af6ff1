import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type OrgHost, startOrgHost } from '../../src/host/org-host.ts'
import { bundlePage } from './bundle-page.ts'
import { launchChromium } from './chromium-browser.ts'

const channel = '/event/Order_Event__e'
let host: OrgHost
let browser: Browser

beforeAll(async () => {
  host = await startOrgHost()
  host.serve(
    '/page/page.js',
    'text/javascript',
    await bundlePage(`
      import { createClient } from '@sfstream/browser'
      window.numbers = []
      window.failures = []
      const client = createClient({ auth: JSON.parse(window.session) })
      const watch = async () => {
        for await (const status of client.status()) if (status.type === 'storeFailed') window.failures.push(status.error.code)
      }
      watch()
      const subscription = client.subscribe('${channel}')
      subscription.ready.then(() => { window.ready = true })
      for await (const { payload } of subscription) window.numbers.push(payload.Number__c)
    `),
  )
  browser = await launchChromium()
})
afterAll(async () => {
  await browser?.close()
  await host.close()
})

test('Chromium: storage that is full is reported, and ends nothing; once there is room the position is saved', async () => {
  const session = JSON.stringify(JSON.stringify(host.org.session()))
  // Filled to the last character, as a page would that keeps too much.
  const fill = `for (let size = 4194304; size >= 1; size = Math.floor(size / 2)) {
    try { for (let at = 0; ; at++) sessionStorage.setItem('fill-' + size + '-' + at, 'x'.repeat(size)) } catch {}
  }`
  host.serve(
    '/page/',
    'text/html',
    `<!doctype html><title>Full</title><script>window.session = ${session}; ${fill}</script><script type="module" src="page.js"></script>`,
  )
  const page = await browser.newPage()
  await page.goto(`${host.url}/page/`)
  const until = (condition: string): Promise<unknown> => vi.waitUntil(() => page.evaluate(condition), { timeout: 15_000, interval: 20 })
  await until('window.ready === true')
  for (let number = 1; number <= 5; number++) host.org.publish(channel, { Number__c: number })
  await until('window.numbers.length === 5 && window.failures.length > 0')
  expect(await page.evaluate('window.numbers')).toEqual([1, 2, 3, 4, 5])
  expect(new Set((await page.evaluate('window.failures')) as string[])).toEqual(new Set(['store_failed']))
  await page.evaluate(`for (const name of Object.keys(sessionStorage)) if (name.startsWith('fill-')) sessionStorage.removeItem(name)`)
  host.org.publish(channel, { Number__c: 6 })
  await until(`Object.keys(sessionStorage).some((name) => name.startsWith('sfstream:'))`)
  expect(await page.evaluate('window.numbers')).toEqual([1, 2, 3, 4, 5, 6])
})
