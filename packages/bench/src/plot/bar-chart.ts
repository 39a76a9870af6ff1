import { numberText, tickText } from '../report/number-text.ts'
import { linearScale } from './scale.ts'
import { colour, document, line, round, text } from './svg.ts'

export interface BarChart {
  title: string
  unit: string
  /** With whiskers from least to most. */
  bars: readonly { name: string; value: number; min: number; max: number }[]
}

const width = 860
const left = 390
const right = 90
const top = 50
const step = 26

export function barChart({ title, unit, bars }: BarChart): string {
  const end = width - right
  const bottom = top + bars.length * step
  const x = linearScale(Math.max(...bars.map(({ max }) => max)), left, end)
  return document(width, bottom + 50, title, [
    ...x.ticks.flatMap((tick) => [
      line(x.place(tick), top, x.place(tick), bottom, '#ddd'),
      text(x.place(tick), bottom + 16, tickText(tick), 'text-anchor="middle"'),
    ]),
    text((left + end) / 2, bottom + 38, unit, 'text-anchor="middle"'),
    ...bars.flatMap(({ name, value, min, max }, at) => {
      const y = top + at * step + 4
      const middle = y + (step - 8) / 2
      return [
        text(left - 8, middle + 4, name, 'text-anchor="end"'),
        `<rect x="${left}" y="${round(y)}" width="${round(Math.max(0, x.place(value) - left))}" height="${step - 8}" fill="${colour(name.startsWith('sfstream') ? 0 : 6)}"/>`,
        ...(max > min ? [line(x.place(min), middle, x.place(max), middle, '#222', 'stroke-width="1.5"')] : []),
        text(x.place(max) + 6, middle + 4, numberText(value)),
      ]
    }),
  ])
}
