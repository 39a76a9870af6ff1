/** Three digits that count, and no more zeros than needed: 1,234,567 as 1,235k. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const size = Math.abs(value)
  if (size >= 1_000_000) return `${grouped(value / 1_000)}k`
  if (size >= 100) return grouped(value)
  if (size >= 10) return value.toFixed(1)
  if (size >= 1 || size === 0) return value.toFixed(2)
  return value.toFixed(3)
}

function grouped(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Of a round value on an axis: no zeros behind the point. */
export function tickText(value: number): string {
  return Math.abs(value) >= 1_000 ? grouped(value) : String(value)
}
