export interface PowerFit {
  /** 1: it grows as fast; 0: not at all; 2: with the square. */
  exponent: number
  factor: number
  /** Share of the variation, of logarithms, that the fit explains. */
  r2: number
}

/** Fits `y = factor * x ^ exponent` by least squares of the logarithms. Points that have none are left out. @throws RangeError below two */
export function powerFit(points: readonly (readonly [x: number, y: number])[]): PowerFit {
  const logs = points.filter(([x, y]) => x > 0 && y > 0).map(([x, y]) => [Math.log(x), Math.log(y)] as const)
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const meanX = mean(logs.map(([x]) => x))
  const meanY = mean(logs.map(([, y]) => y))
  const spreadX = logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  if (logs.length < 2 || spreadX === 0) throw new RangeError('a fit takes two points of different x')
  const exponent = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spreadX
  const offset = meanY - exponent * meanX
  const rest = logs.reduce((sum, [x, y]) => sum + (y - offset - exponent * x) ** 2, 0)
  const spreadY = logs.reduce((sum, [, y]) => sum + (y - meanY) ** 2, 0)
  return { exponent, factor: Math.exp(offset), r2: spreadY === 0 ? 1 : 1 - rest / spreadY }
}
