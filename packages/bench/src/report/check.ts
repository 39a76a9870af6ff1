import { type Budget, isMet } from './budgets.ts'
import { numberText } from './number-text.ts'
import { aligned } from './table.ts'

/** What `--check` says, and whether all was met. What was not measured is named, and is no miss only where the run was told to leave it out. */
export function check(all: readonly Budget[], partial: boolean): { text: string; ok: boolean } {
  const measured = all.filter((budget): budget is Budget & { value: number } => budget.value !== undefined)
  const missed = measured.filter((budget) => !isMet(budget))
  const unknown = all.filter(({ value }) => value === undefined)
  const rows = measured.map((budget) => [
    budget.name,
    `${numberText(budget.value)} ${budget.unit}`,
    `${budget.is} ${budget.limit}`,
    isMet(budget) ? 'met' : 'MISSED',
  ])
  const parts = [
    ...(rows.length > 0 ? ['budgets', aligned(rows)] : []),
    ...(partial ? [] : unknown.map(({ name }) => `not measured: ${name}`)),
    `${measured.length - missed.length} met, ${missed.length} missed, ${unknown.length} not measured`,
  ]
  return { text: parts.join('\n'), ok: missed.length === 0 && (partial || unknown.length === 0) }
}
