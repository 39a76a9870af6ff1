export interface Summary {
  median: number
  min: number
  max: number
  count: number
}

/** @throws RangeError without values */
export function summary(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError('no values')
  const sorted = rising(values)
  return { median: quantile(sorted, 0.5), min: sorted[0]!, max: sorted.at(-1)!, count: sorted.length }
}

/** Of values in rising order; between two of them by proportion. NaN without values. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share
  const below = Math.floor(place)
  const low = sorted[below] ?? Number.NaN
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN
  return low + (high - low) * (place - below)
}

/** Of each round by itself: what befell the machine in a round befell both. Rounds that only one of them has are left out. */
export function ratios(values: readonly number[], base: readonly number[]): number[] {
  return values.slice(0, base.length).flatMap((value, round) => {
    const under = base[round]!
    return Number.isFinite(value) && Number.isFinite(under) && under !== 0 ? [value / under] : []
  })
}

export function rising(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b)
}
