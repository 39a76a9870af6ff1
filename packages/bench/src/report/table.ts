import { type Measurement, summaryOf } from '../stats/measurements.ts'
import { numberText } from './number-text.ts'

/** A table for each row and metric: subjects down, settings across; medians, and least and most beneath where they were taken more than once. */
export function tables(all: readonly Measurement[]): string {
  const groups = new Map<string, Measurement[]>()
  for (const each of all) {
    const title = `${each.row}: ${each.metric} (${each.unit})`
    groups.set(title, [...(groups.get(title) ?? []), each])
  }
  return [...groups].map(([title, group]) => `${title}\n${table(group)}`).join('\n\n')
}

function table(group: readonly Measurement[]): string {
  const settings = [...new Set(group.map(({ setting }) => setting))]
  const subjects = [...new Set(group.map(({ subject }) => subject))]
  const cells = subjects.map((subject) => [
    subject,
    ...settings.map((setting) => {
      const found = group.find((each) => each.subject === subject && each.setting === setting)
      return found ? cell(found) : ''
    }),
  ])
  return aligned([['', ...settings], ...cells])
}

function cell(measurement: Measurement): string {
  const { median, min, max, count } = summaryOf(measurement)
  return count > 1 ? `${numberText(median)} [${numberText(min)} ${numberText(max)}]` : numberText(median)
}

export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!))).join('  ')
  return rows.map((row) => `  ${line(row).trimEnd()}`).join('\n')
}
