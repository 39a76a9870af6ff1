import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { expect, type Page, test } from '@playwright/test'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'

const channel = '/event/Order_Event__e'
const script = fileURLToPath(new URL('../../../../examples/relay/main.mjs', import.meta.url))
const oldestNode = fileURLToPath(new URL('../../node_modules/node20/bin/node', import.meta.url))
let server: MockOrgServer
let service: ChildProcess
let out = ''
let published = 0

test.beforeAll(async () => {
  server = await startMockOrgServer()
})
test.afterAll(async () => {
  service?.kill('SIGKILL')
  await server.close()
})

const publish = (count: number): void => {
  for (let each = 0; each < count; each++) server.org.publish(channel, { Number__c: ++published })
}
async function start(port: string): Promise<string> {
  const { clientId, clientSecret } = server.org.credentials
  const settings = { SF_LOGIN_URL: server.url, SF_CLIENT_ID: clientId, SF_CLIENT_SECRET: clientSecret, SF_CHANNEL: channel, PORT: port }
  out = ''
  service = spawn(oldestNode, [script], { env: { ...process.env, ...settings }, stdio: ['ignore', 'pipe', 'inherit'] })
  service.stdout!.on('data', (text) => {
    out += text
  })
  await expect.poll(() => out).toContain('page: ')
  return /page: (\S+)/.exec(out)?.[1] ?? ''
}
const numbers = async (page: Page): Promise<number[]> =>
  ((await page.locator('#events li').allTextContents()) as string[]).map((text) => Number(/"Number__c":(\d+)/.exec(text)?.[1])).reverse()

test('three browsers on one session; when the service is begun again, and was missed meanwhile, each goes on where it was', async ({
  browser,
}) => {
  const url = await start('0')
  const pages: Page[] = []
  for (let each = 0; each < 3; each++) {
    // A context each: another browser, as far as the service can tell.
    const page = await (await browser.newContext()).newPage()
    await page.goto(url)
    await page.getByText('Listening.').waitFor()
    pages.push(page)
  }
  publish(5)
  for (const page of pages) await expect.poll(() => numbers(page)).toEqual([1, 2, 3, 4, 5])
  expect(server.org.inspect.slots.used).toBe(1)

  service.kill('SIGTERM')
  expect((await once(service, 'close'))[0]).toBe(0)
  expect(out.trimEnd().endsWith('stopped')).toBe(true)
  publish(5)
  // A load balancer's answer while nobody is there, which ends an EventSource for good.
  let refused = 0
  const balancer = createServer((_, response) => {
    refused++
    response.writeHead(503, { connection: 'close' }).end()
  }).listen(Number(new URL(url).port), '127.0.0.1')
  await expect.poll(() => refused).toBeGreaterThanOrEqual(3)
  await new Promise((resolve) => balancer.close(resolve))
  await start(new URL(url).port)
  for (const page of pages) await expect.poll(() => numbers(page)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  if (process.env.SCREENSHOTS) await pages[0]!.screenshot({ path: `${process.env.SCREENSHOTS}/relay.png` })
})
