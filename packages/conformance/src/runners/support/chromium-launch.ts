import type { LaunchOptions } from 'playwright-core'
import { browserPath } from './browser-path.ts'

/** How Chromium is started: an installed one where there is one, else Playwright's own. */
export function chromiumLaunch(): LaunchOptions {
  const executablePath = browserPath('chromium')
  return {
    ...(executablePath !== undefined && { executablePath }),
    // Chromium's own sandbox refuses to run as root.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  }
}
