import { expect, type Page } from '@playwright/test'
import type { OrgHost } from '../../src/host/org-host.ts'
import { backgroundTest } from './background-test.ts'

const channel = '/event/Order_Event__e'

const test = backgroundTest.extend<{ freeze: (page: Page) => Promise<() => Promise<void>> }>({
  /** Freezes a hidden page, as Chromium does to save memory and power; the returned function wakes it. */
  freeze: async ({ tabs }, use) => {
    await use(async (page) => {
      const session = await tabs.newCDPSession(page)
      const become = (state: 'frozen' | 'active'): Promise<unknown> => session.send('Page.setWebLifecycleState', { state })
      await become('frozen')
      return async () => {
        await become('active')
        await expect.poll(() => page.evaluate('window.life')).toEqual(['freeze', 'resume'])
      }
    })
  },
})

test.use({
  before: `
    window.life = []
    for (const type of ['freeze', 'resume']) document.addEventListener(type, () => window.life.push(type))
  `,
  script: `
    import { createClient, sharedTabs } from '@sfstream/browser'
    window.numbers = []
    window.gaps = 0
    const connect = () => createClient({ auth: async () => window.session })
    const client = location.search === '?shared' ? createClient({ source: sharedTabs({ connect }) }) : connect()
    const watch = async () => { for await (const { type } of client.status()) if (type === 'replayGap') window.gaps++ }
    watch()
    const subscription = client.subscribe('${channel}')
    subscription.ready.then(() => { window.ready = true })
    for await (const { payload } of subscription) window.numbers.push(payload.Number__c)
  `,
})

const publish = (host: OrgHost, ...numbers: number[]): void => {
  for (const number of numbers) host.org.publish(channel, { Number__c: number })
}
const has = (page: Page, ...numbers: number[]): Promise<void> => expect.poll(() => page.evaluate('window.numbers')).toEqual(numbers)

test('a page that is frozen says goodbye; when it wakes it goes on where it was, and nothing is lost', async ({
  host,
  open,
  hide,
  freeze,
}) => {
  const page = await open()
  publish(host, 1, 2)
  await has(page, 1, 2)
  await hide(page)
  for (const round of [0, 1]) {
    await page.evaluate('window.life.length = 0')
    const thaw = await freeze(page)
    // The slot is free at once: without a goodbye the org would hold the poll for 110 s, and the session for 40 s more.
    await expect.poll(() => host.org.inspect.slots.used, { timeout: 5_000 }).toBe(0)
    const next = 3 + round * 3
    publish(host, next, next + 1)
    await thaw()
    await has(page, ...Array.from({ length: next + 1 }, (_, at) => at + 1))
    publish(host, next + 2)
    await has(page, ...Array.from({ length: next + 2 }, (_, at) => at + 1))
  }
  expect(await page.evaluate('window.gaps')).toBe(0)
  expect(host.org.inspect.handshakes).toBe(3)
  expect(host.org.inspect.maxConcurrentConnects).toBe(1)
})

test('a tab that leads and is frozen lets another one lead; when it wakes it joins again, and nothing is lost', async ({
  host,
  open,
  hide,
  freeze,
}) => {
  const leader = await open('?shared')
  const other = await open('?shared')
  publish(host, 1, 2)
  for (const page of [leader, other]) await has(page, 1, 2)
  await hide(leader)
  const thaw = await freeze(leader)
  publish(host, 3, 4)
  await has(other, 1, 2, 3, 4)
  expect(await leader.evaluate('window.numbers')).toEqual([1, 2])
  await thaw()
  await has(leader, 1, 2, 3, 4)
  publish(host, 5)
  for (const page of [leader, other]) await has(page, 1, 2, 3, 4, 5)
  for (const page of [leader, other]) expect(await page.evaluate('window.gaps')).toBe(0)
  expect(host.org.inspect.slots.used).toBe(1)
})
