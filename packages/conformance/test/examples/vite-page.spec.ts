import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@playwright/test'
import { type OrgHost, startOrgHost } from '../../src/host/org-host.ts'

const channel = '/event/Order_Event__e'
const folder = fileURLToPath(new URL('../../../../examples/vite-page/', import.meta.url))
const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }
let bundle: string
let host: OrgHost

test.use({ viewport: { width: 900, height: 520 } })

test.beforeAll(async () => {
  bundle = mkdtempSync(join(tmpdir(), 'sfstream-vite-'))
  const { status, stderr } = spawnSync(join(folder, 'node_modules/.bin/vite'), ['build', '--outDir', bundle, '--emptyOutDir'], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  host = await startOrgHost()
  for (const name of readdirSync(bundle, { recursive: true, encoding: 'utf8' })) {
    const type = types[extname(name)]
    if (type) host.serve(`/${name}`, type, readFileSync(join(bundle, name), 'utf8'))
  }
  host.serve('/session', 'application/json', JSON.stringify(host.org.session()))
})
test.afterAll(async () => {
  await host?.close()
  rmSync(bundle, { recursive: true, force: true })
})

test('the page that Vite makes shows every event in each of its tabs, over one session, and goes on after a reload', async ({
  context,
}) => {
  const tabs = [await context.newPage(), await context.newPage()]
  for (const tab of tabs) {
    await tab.goto(`${host.url}/index.html`)
    await tab.getByText('Session: live').waitFor()
  }
  await expect.poll(() => host.org.inspect.subscriptions[channel]).toBe(1)
  for (let number = 1; number <= 5; number++) host.org.publish(channel, { Number__c: number, Text__c: `Order ${number}` })
  for (const tab of tabs) await tab.getByText('"Number__c":5').waitFor()
  expect(host.org.inspect.slots.used).toBe(1)
  if (process.env.SCREENSHOTS) await tabs[0]!.screenshot({ path: `${process.env.SCREENSHOTS}/vite-page.png` })

  await tabs[1]!.goto('about:blank')
  host.org.publish(channel, { Number__c: 6, Text__c: 'Order 6' })
  await tabs[0]!.getByText('"Number__c":6').waitFor()
  await tabs[1]!.goto(`${host.url}/index.html`)
  await tabs[1]!.getByText('"Number__c":6').waitFor()
  // The loop had asked for the next event: what it had shown was finished.
  const rows = await tabs[1]!.locator('#events tr').allTextContents()
  expect(rows.map((text) => Number(/"Number__c":(\d+)/.exec(text)?.[1])).reverse()).toEqual([6])
})
