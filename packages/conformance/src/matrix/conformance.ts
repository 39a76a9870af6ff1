// `pnpm conformance [--runtime NAME] [--only TEXT]`: the suite on every runtime; what is built is what is tested. A whole run
// writes docs/conformance.md.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runRuntime } from '../runners/runtimes.ts'
import type { RuntimeReport } from '../runners/support/runtime-report.ts'
import { type RuntimeName, runtimeNames } from '../suite/capabilities.ts'
import { caseGroups } from '../suite/harness.ts'
import { matrixPage, matrixRow } from './matrix.ts'

const { values } = parseArgs({ options: { runtime: { type: 'string', multiple: true }, only: { type: 'string' } } })
const unknown = values.runtime?.find((name) => !runtimeNames.includes(name as RuntimeName))
if (unknown !== undefined) {
  console.error(`There is no runtime '${unknown}'. Use one of ${runtimeNames.join(', ')}.`)
  process.exit(2)
}
const reports: RuntimeReport[] = []
console.log(`| runtime | ${caseGroups.join(' | ')} |`)
for (const runtime of (values.runtime ?? runtimeNames) as readonly RuntimeName[]) {
  const report = await runRuntime(runtime, values.only)
  reports.push(report)
  console.log(matrixRow(report))
  if ('unavailable' in report) console.log(`  not run: ${report.unavailable}`)
  else
    for (const { group, name, outcome, reason } of report.results)
      if (outcome !== 'passed') console.log(`  ${outcome}: ${group}: ${name}: ${reason}`)
}
if (!values.runtime && !values.only)
  writeFileSync(fileURLToPath(new URL('../../../../docs/conformance.md', import.meta.url)), matrixPage(reports))
const wrong = reports.some((report) => 'unavailable' in report || report.results.some(({ outcome }) => outcome === 'failed'))
process.exitCode = wrong ? 1 : 0
