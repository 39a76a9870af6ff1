import { defineConfig } from '@playwright/test'
import { chromiumLaunch } from './packages/conformance/src/runners/support/chromium-launch.ts'

const report = process.env.SFSTREAM_PAGES_JSON

/** Tests that need a page. They load what is built, from a simulated org of their own. */
export default defineConfig({
  testDir: 'packages/conformance/test',
  testMatch: '**/*.spec.ts',
  outputDir: '.cache/playwright',
  forbidOnly: true,
  retries: 0,
  // Each drives a browser, which has processes of its own.
  workers: 2,
  // Finds what hangs; says nothing about speed.
  timeout: 60_000,
  expect: { timeout: 20_000 },
  reporter: report ? [['list'], ['json', { outputFile: report }]] : 'list',
  use: {
    // The back/forward cache is part of a page's life; Playwright turns it off.
    launchOptions: { ...chromiumLaunch(), ignoreDefaultArgs: ['--disable-back-forward-cache'] },
    screenshot: 'off',
    trace: 'off',
    video: 'off',
  },
})
