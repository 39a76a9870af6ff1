/** From values to places on an axis, and the round values to mark on it. */
export interface Scale {
  place(value: number): number
  ticks: readonly number[]
}

/** From zero, by steps of 1, 2 or 5. */
export function linearScale(high: number, from: number, to: number): Scale {
  const rough = Math.max(high, Number.MIN_VALUE) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999) ?? rough
  const ticks = Array.from({ length: Math.ceil(high / step - 1e-9) + 1 }, (_, at) => Number((at * step).toPrecision(6)))
  const end = ticks.at(-1) || 1
  return { ticks, place: (value) => from + (value / end) * (to - from) }
}

/** By powers of ten; for values above zero. */
export function logScale(values: readonly number[], from: number, to: number): Scale {
  const above = values.filter((value) => value > 0)
  const low = Math.floor(Math.log10(Math.min(...above)) + 1e-9)
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...above)) - 1e-9))
  const ticks = Array.from({ length: high - low + 1 }, (_, at) => Number((10 ** (low + at)).toPrecision(6)))
  return { ticks, place: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from) }
}
