import { type Browser, chromium } from 'playwright-core'
import type { OrgHost } from '../host/org-host.ts'
import { chromiumLaunch } from './support/chromium-launch.ts'
import type { RuntimeReport } from './support/runtime-report.ts'
import { suiteOnPage } from './support/suite-on-page.ts'

export async function runChromium(host: OrgHost, only = ''): Promise<RuntimeReport> {
  let browser: Browser
  try {
    browser = await chromium.launch(chromiumLaunch())
  } catch (error) {
    return { runtime: 'chromium', unavailable: `no Chromium can be started (Debian: chromium): ${String(error).split('\n')[0]}` }
  }
  try {
    const run = await suiteOnPage(host, 'chromium', await browser.newPage())
    return { runtime: 'chromium', version: browser.version(), results: await run(only) }
  } finally {
    await browser.close()
  }
}
