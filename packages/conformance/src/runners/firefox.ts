import puppeteer from 'puppeteer-core'
import type { OrgHost } from '../host/org-host.ts'
import type { CaseResult } from '../suite/harness.ts'
import { browserPath } from './support/browser-path.ts'
import type { RuntimeReport } from './support/runtime-report.ts'
import { serveSuite } from './support/serve-suite.ts'

/** Over WebDriver BiDi, which a stock Firefox speaks. */
export async function runFirefox(host: OrgHost, only = ''): Promise<RuntimeReport> {
  const executablePath = browserPath('firefox')
  if (!executablePath) return { runtime: 'firefox', unavailable: 'no Firefox is installed (Debian: firefox-esr)' }
  const url = await serveSuite(host, 'firefox')
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true })
  try {
    const page = await browser.newPage()
    await page.goto(url)
    const run = (text: string): Promise<unknown> =>
      (globalThis as unknown as { conformance(only: string): Promise<unknown> }).conformance(text)
    const version = (await browser.version()).replace(/^\D*/, '')
    return { runtime: 'firefox', version, results: (await page.evaluate(run, only)) as CaseResult[] }
  } finally {
    await browser.close()
  }
}
