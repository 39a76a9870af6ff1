import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Measurements } from '../stats/measurements.ts'
import type { Budget } from './budgets.ts'
import { charts } from './charts.ts'
import type { Environment } from './environment.ts'

export interface ReportHead {
  environment: Environment
  quick: boolean
  /** What has no figure, and why. */
  notes: readonly string[]
  budgets: readonly Budget[]
}

/** Everything as JSON, and the charts: beside it, or where they were asked for. */
export function writeReport(
  { out, charts: chartsFolder, growth }: { out: string; charts: string | undefined; growth: boolean },
  head: ReportHead,
  measured: Measurements,
): void {
  const folder = resolve(out)
  const drawn = chartsFolder === undefined ? join(folder, 'charts') : resolve(chartsFolder)
  for (const each of [folder, drawn]) mkdirSync(each, { recursive: true })
  const name = growth ? 'growth.json' : 'bench.json'
  const report = { ...head, measurements: measured.all(), curves: measured.curves() }
  writeFileSync(join(folder, name), `${JSON.stringify(report, null, 2)}\n`)
  for (const { name: file, svg } of charts(measured)) writeFileSync(join(drawn, file), svg)
  console.error(`The figures are in ${out}/${name}, the charts in ${chartsFolder ?? `${out}/charts`}`)
}
