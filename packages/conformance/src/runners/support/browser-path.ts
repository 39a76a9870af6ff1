import { existsSync } from 'node:fs'

const places = {
  chromium: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome-stable', '/usr/bin/google-chrome'],
  firefox: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
} as const

/** An installed browser: `SFSTREAM_CHROMIUM` or `SFSTREAM_FIREFOX`, else where Linux distributions put it. */
export function browserPath(browser: keyof typeof places): string | undefined {
  const named = process.env[`SFSTREAM_${browser.toUpperCase()}`]
  return named || places[browser].find((path) => existsSync(path))
}
