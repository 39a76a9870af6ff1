// Every test: those of modules and processes by vitest, then those that need a page by Playwright, whatever came of the first. Names of
// files may follow; each runner takes those that are its own. The last line printed is `N passed, N failed[, N skipped]`, over both.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pagesOutcome, vitestOutcome } from './outcomes.mjs'

const files = process.argv.slice(2)
const chosen = files.length > 0

const outcomes = [
  run('vitest', ['run', ...(chosen ? ['--passWithNoTests'] : [])], 'SFSTREAM_TEST_JSON', vitestOutcome),
  run('playwright', ['test', ...(chosen ? ['--pass-with-no-tests'] : [])], 'SFSTREAM_PAGES_JSON', pagesOutcome),
]
for (const name of outcomes.flatMap(({ broken }) => broken)) console.log(`failed to load: ${name}`)
for (const name of outcomes.flatMap(({ skipped }) => skipped)) console.log(`skipped: ${name}`)
const sum = (count) => outcomes.reduce((total, outcome) => total + count(outcome), 0)
const passed = sum((outcome) => outcome.passed)
const failed = sum((outcome) => outcome.failed + outcome.broken.length)
const skipped = sum((outcome) => outcome.skipped.length)
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
// Nothing at all is no success either: no file has such a name.
process.exitCode = failed > 0 || passed + skipped === 0 ? 1 : 0

function run(runner, args, variable, outcomeOf) {
  const report = join(tmpdir(), `sfstream-${runner}-${process.pid}.json`)
  rmSync(report, { force: true })
  const { status } = spawnSync(join('node_modules/.bin', runner), [...args, ...files], {
    stdio: 'inherit',
    env: { ...process.env, [variable]: report },
    shell: process.platform === 'win32',
  })
  const outcome = existsSync(report) ? outcomeOf(JSON.parse(readFileSync(report, 'utf8'))) : undefined
  rmSync(report, { force: true })
  if (!outcome) return { passed: 0, failed: 0, broken: [`${runner}: it left no report`], skipped: [] }
  // An error outside of any test, such as a rejection that nobody handles.
  if (status !== 0 && outcome.failed + outcome.broken.length === 0) outcome.broken.push(`${runner}: it ended with ${status}`)
  return outcome
}
