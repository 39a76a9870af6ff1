export interface Curve {
  title: string
  unit: string
  /** One value for each time. */
  values: readonly number[]
}

export interface Lane {
  name: string
  /** When, in milliseconds. */
  marks: readonly number[]
}

export interface Plot {
  title: string
  /** Times of the values, in milliseconds, rising. */
  times: readonly number[]
  curves: readonly Curve[]
  /** Rows of marks under the curves, which share their time axis. */
  lanes: readonly Lane[]
}

const width = 960
const left = 130
const right = 24
const panelHeight = 150
const panelGap = 46
const laneHeight = 18
const top = 70

/** Panels above one another, each from zero, over one time axis in minutes, with the lanes of marks below. */
export function svgPlot({ title, times, curves, lanes }: Plot): string {
  const lastMs = Math.max(1, times.at(-1) ?? 1, ...lanes.flatMap(({ marks }) => marks))
  const x = (ms: number): number => round(left + (ms / lastMs) * (width - left - right))
  const lanesTop = top + curves.length * (panelHeight + panelGap)
  const bottom = lanesTop + lanes.length * laneHeight
  const minutes = ticks(lastMs / 60_000, 10).filter((minute) => minute * 60_000 <= lastMs)
  const allMarks = lanes.flatMap(({ marks }) => marks)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${bottom + 56}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(left, 28, title, 'font-size="17" font-weight="bold"'),
    // Beyond this many they would hide the curves.
    ...(allMarks.length <= 200 ? allMarks.map((ms) => line(x(ms), top, x(ms), lanesTop - panelGap, '#e8b4a8')) : []),
    ...curves.flatMap((curve, at) => panel(curve, times, x, top + at * (panelHeight + panelGap))),
    ...lanes.flatMap(({ name, marks }, at) => {
      const y = lanesTop + at * laneHeight
      return [
        line(left, y, width - right, y, '#eee'),
        text(left - 8, y + 4, name, 'text-anchor="end"'),
        ...marks.map((ms) => line(x(ms), y - 6, x(ms), y + 6, '#c0392b', 2)),
      ]
    }),
    line(left, bottom, width - right, bottom, '#888'),
    ...minutes.flatMap((minute) => [
      line(x(minute * 60_000), bottom, x(minute * 60_000), bottom + 5, '#888'),
      text(x(minute * 60_000), bottom + 19, String(minute), 'text-anchor="middle"'),
    ]),
    text((left + width - right) / 2, bottom + 40, 'time (minutes)', 'text-anchor="middle"'),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

function panel({ title, unit, values }: Curve, times: readonly number[], x: (ms: number) => number, y: number): string[] {
  const levels = ticks(Math.max(1, ...values), 4)
  const high = levels.at(-1) ?? 1
  const place = (value: number): number => round(y + panelHeight - (value / high) * panelHeight)
  const points = values.map((value, at) => `${x(times[at] ?? 0)},${place(value)}`)
  return [
    text(left, y - 8, `${title} (${unit})`, 'font-weight="bold"'),
    ...levels.flatMap((level) => [
      line(left, place(level), width - right, place(level), level === 0 ? '#888' : '#ddd'),
      text(left - 8, place(level) + 4, String(level), 'text-anchor="end"'),
    ]),
    line(left, y, left, y + panelHeight, '#888'),
    `<polyline points="${points.join(' ')}" fill="none" stroke="#1f5fa8" stroke-width="1.5"/>`,
  ]
}

/** Round numbers from 0 to at least `high`, about `wanted` steps of them. */
function ticks(high: number, wanted: number): number[] {
  const rough = high / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough
  return Array.from({ length: Math.ceil(high / step - 1e-9) + 1 }, (_, at) => Number((at * step).toPrecision(6)))
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string, strokeWidth = 1): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${stroke}" stroke-width="${strokeWidth}"/>`
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${content.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</text>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
