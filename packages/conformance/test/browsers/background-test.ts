import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContext, expect, type Page } from '@playwright/test'
import { chromiumLaunch } from '../../src/runners/support/chromium-launch.ts'
import { pageTest } from './page-test.ts'

export interface BackgroundFixtures {
  /** Tabs of one window: only the one in front is visible. */
  tabs: BrowserContext
  /** Opens the host's page, with this after its path, and waits until it has set `window.ready`. */
  open: (query?: string) => Promise<Page>
  /** Brings another tab to the front of all others. */
  hide: (page: Page) => Promise<void>
}

/**
 * Tests of pages that nobody sees. Playwright tells every page of its own that it is seen and has the focus (`setFocusEmulationEnabled`),
 * which no other session can take back: such a page is never hidden, its timers are not held back, and Chromium, which freezes hidden
 * pages only, tells it nothing when it is to be frozen. So these pages are those of Chromium's own default context, in a connection
 * without these defaults.
 */
export const backgroundTest = pageTest.extend<BackgroundFixtures, { chromiumProcess: Browser }>({
  chromiumProcess: [
    async ({ playwright }, use) => {
      const launch = chromiumLaunch()
      const browser = await playwright.chromium.launch({
        ...launch,
        args: [
          ...(launch.args ?? []),
          '--remote-debugging-port=0',
          // Without it the command line is not told, and with it the port.
          '--enable-automation',
          // Otherwise it begins after five minutes.
          '--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1',
        ],
        ignoreDefaultArgs: [
          '--disable-back-forward-cache',
          '--disable-background-timer-throttling',
          '--disable-renderer-backgrounding',
          '--disable-backgrounding-occluded-windows',
        ],
      })
      await use(browser)
      await browser.close()
    },
    { scope: 'worker' },
  ],
  tabs: async ({ chromiumProcess, playwright }, use) => {
    const port = await debuggingPort(chromiumProcess)
    const browser = await playwright.chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true })
    const context = browser.contexts()[0]!
    await use(context)
    for (const page of context.pages()) await page.close()
    await context.clearCookies()
    await browser.close()
  },
  open: async ({ host, tabs }, use) => {
    await use(async (query = '') => {
      const page = await tabs.newPage()
      await page.goto(`${host.url}/page/${query}`)
      await expect.poll(() => page.evaluate('window.ready === true')).toBe(true)
      return page
    })
  },
  hide: async ({ tabs }, use) => {
    await use(async (page) => {
      await (await tabs.newPage()).bringToFront()
      await expect.poll(() => page.evaluate('document.visibilityState')).toBe('hidden')
    })
  },
})

/** Chromium leaves it in its profile, whose place its command line names. */
async function debuggingPort(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession()
  const { arguments: line } = await session.send('Browser.getBrowserCommandLine')
  await session.detach()
  const option = '--user-data-dir='
  const profile = line.find((argument) => argument.startsWith(option))?.slice(option.length) ?? ''
  const written = join(profile, 'DevToolsActivePort')
  // Written some time after the launch is over, where the machine is busy.
  const port = (): number => (existsSync(written) ? Number(readFileSync(written, 'utf8').split('\n')[0]) : 0)
  await expect.poll(port).toBeGreaterThan(0)
  return port()
}
