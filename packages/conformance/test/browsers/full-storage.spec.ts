import { expect } from '@playwright/test'
import { pageTest as test } from './page-test.ts'

const channel = '/event/Order_Event__e'

test.use({
  // Filled to the last character, as a page would that keeps too much.
  before: `for (let size = 4194304; size >= 1; size = Math.floor(size / 2)) {
    try { for (let at = 0; ; at++) sessionStorage.setItem('fill-' + size + '-' + at, 'x'.repeat(size)) } catch {}
  }`,
  script: `
    import { createClient } from '@sfstream/browser'
    window.numbers = []
    window.failures = []
    const client = createClient({ auth: window.session })
    const watch = async () => {
      for await (const status of client.status()) if (status.type === 'storeFailed') window.failures.push(status.error.code)
    }
    watch()
    const subscription = client.subscribe('${channel}')
    subscription.ready.then(() => { window.ready = true })
    for await (const { payload } of subscription) window.numbers.push(payload.Number__c)
  `,
})

test('storage that is full is reported, and ends nothing; once there is room the position is saved', async ({ host, page }) => {
  await page.goto(`${host.url}/page/`)
  await page.waitForFunction('window.ready === true')
  for (let number = 1; number <= 5; number++) host.org.publish(channel, { Number__c: number })
  await page.waitForFunction('window.numbers.length === 5 && window.failures.length > 0')
  expect(await page.evaluate('window.numbers')).toEqual([1, 2, 3, 4, 5])
  expect(new Set((await page.evaluate('window.failures')) as string[])).toEqual(new Set(['store_failed']))
  await page.evaluate(`for (const name of Object.keys(sessionStorage)) if (name.startsWith('fill-')) sessionStorage.removeItem(name)`)
  host.org.publish(channel, { Number__c: 6 })
  await page.waitForFunction(`Object.keys(sessionStorage).some((name) => name.startsWith('sfstream:'))`)
  expect(await page.evaluate('window.numbers')).toEqual([1, 2, 3, 4, 5, 6])
})
