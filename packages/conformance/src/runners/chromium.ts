import { chromium } from 'playwright-core'
import type { OrgHost } from '../host/org-host.ts'
import type { CaseResult } from '../suite/harness.ts'
import { browserPath } from './support/browser-path.ts'
import type { RuntimeReport } from './support/runtime-report.ts'
import { serveSuite } from './support/serve-suite.ts'

export async function runChromium(host: OrgHost, only = ''): Promise<RuntimeReport> {
  const executablePath = browserPath('chromium')
  if (!executablePath) return { runtime: 'chromium', unavailable: 'no Chromium is installed (Debian: chromium)' }
  const url = await serveSuite(host, 'chromium')
  // Chromium's own sandbox refuses to run as root.
  const browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
  try {
    const page = await browser.newPage()
    await page.goto(url)
    const run = (text: string): Promise<unknown> =>
      (globalThis as unknown as { conformance(only: string): Promise<unknown> }).conformance(text)
    return { runtime: 'chromium', version: browser.version(), results: (await page.evaluate(run, only)) as CaseResult[] }
  } finally {
    await browser.close()
  }
}
