import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startServer } from './harness/start-server.ts'
import { benchOptions } from './options/bench-options.ts'
import { budgets } from './report/budgets.ts'
import { check } from './report/check.ts'
import { environment, environmentText } from './report/environment.ts'
import { tables } from './report/table.ts'
import { rowNames, rows } from './rows/rows.ts'
import { measurements } from './stats/measurements.ts'

// `pnpm bench`: docs/performance.md says what is measured, and how.
const options = benchOptions(process.argv.slice(2), rowNames)
if (!options.built) {
  console.error('Building …')
  const { status, stdout, stderr } = spawnSync('pnpm', ['run', 'build'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The build failed:\n${stdout}${stderr}`)
}
const place = environment()
console.log(environmentText(place))
const measured = measurements()
const notes: string[] = []
const note = (text: string): void => {
  notes.push(text)
  console.error(text)
}
const server = await startServer()
try {
  for (const name of options.names) {
    const startedAt = performance.now()
    await rows[name]({ measured, server, quick: options.quick, note })
    console.error(`${name}: ${Math.round((performance.now() - startedAt) / 1_000)} s`)
  }
} finally {
  server.stop()
}
console.log(`\n${tables(measured.all())}\n`)
const held = budgets(measured)
const verdict = check(held, options.partial)
const folder = resolve(options.out)
mkdirSync(folder, { recursive: true })
const file = join(folder, 'bench.json')
const report = { environment: place, quick: options.quick, notes, budgets: held, measurements: measured.all() }
writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
console.error(`The figures are in ${options.out}/bench.json`)
if (options.check) {
  console.log(verdict.text)
  if (!verdict.ok) process.exitCode = 1
}
