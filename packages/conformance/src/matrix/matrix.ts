import type { RuntimeReport } from '../runners/support/runtime-report.ts'
import { type CaseResult, caseGroups } from '../suite/harness.ts'

/** One row of the table: passed, and skipped or failed where there are some. */
export function matrixRow(report: RuntimeReport): string {
  const cells = 'unavailable' in report ? caseGroups.map(() => 'not run') : caseGroups.map((group) => cell(inGroup(report.results, group)))
  return `| ${[report.runtime, ...cells].join(' | ')} |`
}

/** The whole page. No dates and no durations: it changes only when the facts do. */
export function matrixPage(reports: readonly RuntimeReport[]): string {
  const skips = reports.flatMap((report) =>
    'unavailable' in report
      ? [`- ${report.runtime}: not run: ${report.unavailable}`]
      : report.results
          .filter(({ outcome }) => outcome === 'skipped')
          .map(({ group, name, reason }) => `- ${report.runtime}: ${group}: ${name}: ${reason}`),
  )
  return `# Conformance

One suite, run on each runtime over real HTTP against the simulated org, with the packages as built. Written by \`pnpm conformance\`;
\`npm test\` runs the same, and fails where this page says otherwise. A cell is the number of cases that passed; \`s\` skipped, \`f\` failed.

| runtime | ${caseGroups.join(' | ')} |
| --- |${caseGroups.map(() => ' --- |').join('')}
${reports.map(matrixRow).join('\n')}

## Skipped, and why

${skips.join('\n')}

## Versions

${reports.map((report) => ('unavailable' in report ? `- ${report.runtime}: not run` : `- ${report.runtime}: ${report.version}`)).join('\n')}
`
}

function inGroup(results: readonly CaseResult[], group: string): CaseResult[] {
  return results.filter((result) => result.group === group)
}

function cell(results: readonly CaseResult[]): string {
  const number = (outcome: CaseResult['outcome']): number => results.filter((result) => result.outcome === outcome).length
  const [skipped, failed] = [number('skipped'), number('failed')]
  return `${number('passed')}${skipped ? ` (${skipped} s)` : ''}${failed ? ` (${failed} f)` : ''}`
}
