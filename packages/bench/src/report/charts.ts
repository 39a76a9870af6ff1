import { barChart } from '../plot/bar-chart.ts'
import { lineChart } from '../plot/line-chart.ts'
import { powerFit } from '../stats/fit.ts'
import { type Measurement, type Measurements, summaryOf } from '../stats/measurements.ts'

export interface Chart {
  /** Of the file. */
  name: string
  svg: string
}

/** A chart of all that was measured and is worth one: rates over batches, bars of the rest, courses. */
export function charts(measured: Measurements): Chart[] {
  const all = measured.all()
  const rates = rowsOf(all, ({ row, metric }) => row.startsWith('throughput') && metric === 'events per second').map(
    ([row, found]): Chart => ({
      name: fileName(row),
      svg: lineChart({ title: row, xTitle: 'events in a reply', yTitle: 'events per second', log: true, lines: overBatches(found) }),
    }),
  )
  const bars = [
    chartOfBars(all, 'latency', 'p50'),
    chartOfBars(all, 'latency', 'p99'),
    chartOfBars(all, 'heap', 'heap per client'),
    chartOfBars(all, 'bundle', 'size for browsers', 'min+gzip'),
    chartOfBars(all, 'import', 'time in a fresh process'),
    chartOfBars(all, 'recovery', 'time until subscribed again', 'session lost'),
  ]
  const courses = new Map(measured.curves().map((curve) => [`${curve.row}: ${curve.metric}`, curve]))
  const lines = [...courses].map(([title, { row, metric, unit, over }]): Chart => {
    const same = measured.curves().filter((curve) => curve.row === row && curve.metric === metric)
    const named = same.map(({ subject, points }) => ({
      name: row.startsWith('growth') ? `${subject}: ${fitText(points)}` : subject,
      points,
    }))
    return { name: fileName(title), svg: lineChart({ title, xTitle: over, yTitle: unit, log: row.startsWith('growth'), lines: named }) }
  })
  return [...rates, ...bars.flat(), ...lines]
}

function fitText(points: readonly [number, number][]): string {
  // Memory that fell has no logarithm.
  if (points.filter(([, y]) => y > 0).length < 2) return 'no fit'
  const { exponent, r2 } = powerFit(points)
  return `x^${exponent.toFixed(2)} (r² ${r2.toFixed(2)})`
}

function rowsOf(all: readonly Measurement[], wanted: (each: Measurement) => boolean): [string, Measurement[]][] {
  const found = all.filter(wanted)
  return [...new Set(found.map(({ row }) => row))].map((row) => [row, found.filter((each) => each.row === row)])
}

function overBatches(found: readonly Measurement[]): { name: string; points: [number, number][] }[] {
  return [...new Set(found.map(({ subject }) => subject))].map((name) => ({
    name,
    points: found
      .filter(({ subject }) => subject === name)
      .map((each): [number, number] => [Number(each.setting.replace('batch ', '')), summaryOf(each).median]),
  }))
}

function chartOfBars(all: readonly Measurement[], row: string, metric: string, setting?: string): Chart[] {
  const found = all.filter((each) => each.row === row && each.metric === metric && (setting === undefined || each.setting === setting))
  const [first] = found
  if (!first) return []
  const bars = found.map((each) => {
    const { median, min, max } = summaryOf(each)
    return { name: each.subject, value: median, min, max }
  })
  const title = `${row}: ${metric}, ${first.setting}`
  return [{ name: fileName(`${row} ${metric}`), svg: barChart({ title, unit: first.unit, bars }) }]
}

function fileName(title: string): string {
  return `${title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')}.svg`
}
