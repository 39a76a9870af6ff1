import { buildPackages } from './harness/build-packages.ts'
import { startServer } from './harness/start-server.ts'
import { benchOptions } from './options/bench-options.ts'
import { budgets } from './report/budgets.ts'
import { check } from './report/check.ts'
import { environment, environmentText } from './report/environment.ts'
import { tables } from './report/table.ts'
import { writeReport } from './report/write-report.ts'
import { growth } from './rows/growth.ts'
import { rowNames, rows } from './rows/rows.ts'
import { measurements } from './stats/measurements.ts'

// `pnpm bench`: docs/performance.md says what is measured, and how.
const options = benchOptions(process.argv.slice(2), rowNames)
if (!options.built) buildPackages()
const place = environment()
console.log(environmentText(place))
const measured = measurements()
const notes: string[] = []
const note = (text: string): void => {
  notes.push(text)
  console.error(text)
}
const server = await startServer()
const context = { measured, server, quick: options.quick, note }
const jobs = options.growth ? [['growth', growth] as const] : options.names.map((name) => [name, rows[name]] as const)
try {
  for (const [name, run] of jobs) {
    const startedAt = performance.now()
    await run(context)
    console.error(`${name}: ${Math.round((performance.now() - startedAt) / 1_000)} s`)
  }
} finally {
  server.stop()
}
console.log(`\n${tables(measured.all())}\n`)
const held = options.growth ? [] : budgets(measured)
writeReport(options, { environment: place, quick: options.quick, notes, budgets: held }, measured)
if (options.check) {
  const verdict = check(held, options.partial)
  console.log(verdict.text)
  if (!verdict.ok) process.exitCode = 1
}
