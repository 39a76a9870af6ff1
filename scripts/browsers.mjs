// The browsers that tests run in. An installed one serves; else Debian's packages are installed, where that may be done without
// asking. What cannot be had is named here, and its tests fail.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const wanted = {
  chromium: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome-stable', '/usr/bin/google-chrome'],
  'firefox-esr': ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
}
const variable = { chromium: 'SFSTREAM_CHROMIUM', 'firefox-esr': 'SFSTREAM_FIREFOX' }

/** Sees to it that the browsers are there. */
export function installBrowsers() {
  const missing = missingBrowsers()
  if (missing.length === 0) return
  if (existsSync('/usr/bin/apt-get')) {
    console.error(`Installing ${missing.join(' and ')} (the first time only) …`)
    const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
    const apt = (...args) => {
      const [command, ...rest] = [...asRoot, 'apt-get', ...args]
      return spawnSync(command, rest, {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      })
    }
    apt('update', '-qq')
    apt('install', '-y', '-qq', '--no-install-recommends', ...missing)
  }
  for (const name of missingBrowsers())
    console.error(
      `${name} is not installed, and could not be: install it, or name a browser of that kind in ${variable[name]}. Its tests fail.`,
    )
}

function missingBrowsers() {
  return Object.keys(wanted).filter((name) => !process.env[variable[name]] && !wanted[name].some((path) => existsSync(path)))
}
