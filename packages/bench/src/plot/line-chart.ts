import { tickText } from '../report/number-text.ts'
import { linearScale, logScale } from './scale.ts'
import { colour, document, line, round, text } from './svg.ts'

export interface LineChart {
  title: string
  xTitle: string
  yTitle: string
  /** Both axes by powers of ten; linear from zero otherwise. */
  log: boolean
  lines: readonly { name: string; points: readonly (readonly [x: number, y: number])[] }[]
}

const width = 860
const left = 80
const right = 270
const top = 56
const height = 360

export function lineChart({ title, xTitle, yTitle, log, lines }: LineChart): string {
  const points = lines.flatMap((each) => each.points)
  const scale = (values: readonly number[], from: number, to: number) =>
    log ? logScale(values, from, to) : linearScale(Math.max(...values), from, to)
  const bottom = top + height
  const end = width - right
  const x = scale(
    points.map(([value]) => value),
    left,
    end,
  )
  const y = scale(
    points.map(([, value]) => value),
    bottom,
    top,
  )
  const drawn = lines.flatMap((each, at) => {
    const places = each.points.filter(([, value]) => !log || value > 0).map(([px, py]) => [round(x.place(px)), round(y.place(py))] as const)
    const path = places.map((place) => place.join()).join(' ')
    const dots = places.length <= 30 ? places.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="3" fill="${colour(at)}"/>`) : []
    return [
      `<polyline points="${path}" fill="none" stroke="${colour(at)}" stroke-width="1.6"/>`,
      ...dots,
      line(end + 16, top + 8 + at * 20, end + 36, top + 8 + at * 20, colour(at), 'stroke-width="3"'),
      text(end + 42, top + 12 + at * 20, each.name),
    ]
  })
  return document(width, bottom + 60, title, [
    ...y.ticks.flatMap((tick) => [
      line(left, y.place(tick), end, y.place(tick), '#ddd'),
      text(left - 8, y.place(tick) + 4, tickText(tick), 'text-anchor="end"'),
    ]),
    ...x.ticks.flatMap((tick) => [
      line(x.place(tick), bottom, x.place(tick), bottom + 5, '#888'),
      text(x.place(tick), bottom + 19, tickText(tick), 'text-anchor="middle"'),
    ]),
    line(left, bottom, end, bottom, '#888'),
    line(left, top, left, bottom, '#888'),
    text((left + end) / 2, bottom + 42, xTitle, 'text-anchor="middle"'),
    text(left - 60, top - 10, yTitle),
    ...drawn,
  ])
}
