import { type Browser, chromium } from 'playwright-core'
import { browserPath } from '../../src/runners/support/browser-path.ts'

/** Chromium, with its back/forward cache, which Playwright turns off. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath('chromium') ?? '',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  })
}
