import puppeteer from 'puppeteer-core'
import type { OrgHost } from '../host/org-host.ts'
import { browserPath } from './support/browser-path.ts'
import type { RuntimeReport } from './support/runtime-report.ts'
import { suiteOnPage } from './support/suite-on-page.ts'

/** Over WebDriver BiDi, which a stock Firefox speaks. */
export async function runFirefox(host: OrgHost, only = ''): Promise<RuntimeReport> {
  const executablePath = browserPath('firefox')
  if (!executablePath) return { runtime: 'firefox', unavailable: 'no Firefox is installed (Debian: firefox-esr)' }
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true })
  try {
    const run = await suiteOnPage(host, 'firefox', await browser.newPage())
    const version = (await browser.version()).replace(/^\D*/, '')
    return { runtime: 'firefox', version, results: await run(only) }
  } finally {
    await browser.close()
  }
}
