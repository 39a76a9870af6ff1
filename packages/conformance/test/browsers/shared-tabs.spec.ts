import { expect, type Page } from '@playwright/test'
import type { OrgHost } from '../../src/host/org-host.ts'
import { pageTest } from './page-test.ts'

const channel = '/event/Order_Event__e'

const test = pageTest.extend<{ open: (paceMs?: number, hurry?: number) => Promise<Page> }>({
  /** Another tab of the same browser, once it listens; it takes so long over each event, and its timers for sharing are so much too fast. */
  open: async ({ context, host }, use) => {
    await use(async (paceMs = 0, hurry = 1) => {
      const page = await context.newPage()
      await page.goto(`${host.url}/page/?pace=${paceMs}&hurry=${hurry}`)
      await page.waitForFunction('window.ready === true')
      return page
    })
  },
})

test.use({
  script: `
    import { createClient, sharedTabs } from '@sfstream/browser'
    const query = new URLSearchParams(location.search)
    const paceMs = Number(query.get('pace'))
    const delay = (callback, ms) => {
      const timer = setTimeout(callback, ms / Number(query.get('hurry')))
      return () => clearTimeout(timer)
    }
    const source = sharedTabs({ platform: { delay }, connect: () => createClient({ auth: async () => window.session, replayStore: null }) })
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
})

const publish = (host: OrgHost, from: number, to: number): void => {
  for (let number = from; number <= to; number++) host.org.publish(channel, { Number__c: number })
}
const numbers = (page: Page): Promise<number[]> => page.evaluate('window.numbers ?? []')
/** Waits until it has them all, each once and in order. */
const hasUpTo = (page: Page, last: number): Promise<void> =>
  expect.poll(() => numbers(page)).toEqual(Array.from({ length: last }, (_, at) => at + 1))

test('two tabs hold one session; when the one that leads is closed amid events, the other takes over, and nothing is lost', async ({
  host,
  open,
}) => {
  const leader = await open()
  const slow = await open(3)
  expect(host.org.inspect.slots.used).toBe(1)
  publish(host, 1, 400)
  await hasUpTo(leader, 400)
  // The slow one is still at work; the org knows of one client, then as before.
  expect((await numbers(slow)).length).toBeLessThan(400)
  expect(host.org.inspect.slots.peak).toBe(1)
  publish(host, 401, 800)
  await leader.close()
  publish(host, 801, 1_200)
  await hasUpTo(slow, 1_200)
  expect(await slow.evaluate('window.gaps')).toBe(0)
  expect(host.org.inspect.slots.used).toBe(1)
})

test('a tab that leads and is left lets go, is kept by the back/forward cache, and joins again', async ({ host, open }) => {
  const first = await open()
  const second = await open()
  publish(host, 1, 2)
  await hasUpTo(first, 2)
  await hasUpTo(second, 2)
  await first.goto(`${host.url}/other/`)
  publish(host, 3, 4)
  await hasUpTo(second, 4)
  await first.goBack({ waitUntil: 'commit' })
  // The same page as before: its loop went on.
  await hasUpTo(first, 4)
  publish(host, 5, 5)
  await hasUpTo(first, 5)
  await hasUpTo(second, 5)
  expect(host.org.inspect.slots.used).toBe(1)
})

test('a tab that leads and is stopped without a word, as by a debugger, is replaced; when it runs again it follows', async ({
  context,
  host,
  open,
}) => {
  const leader = await open(0, 20)
  const other = await open(0, 20)
  publish(host, 1, 2)
  await hasUpTo(leader, 2)
  await hasUpTo(other, 2)
  const session = await context.newCDPSession(leader)
  await session.send('Debugger.enable')
  const paused = new Promise((resolve) => session.once('Debugger.paused', resolve))
  await session.send('Debugger.pause')
  await paused
  publish(host, 3, 4)
  await hasUpTo(other, 4)
  await session.send('Debugger.disable')
  publish(host, 5, 5)
  await hasUpTo(leader, 5)
  await hasUpTo(other, 5)
  await expect.poll(() => host.org.inspect.slots.used).toBe(1)
  await other.close()
  publish(host, 6, 6)
  await hasUpTo(leader, 6)
})
