import { type Summary, summary } from './summary.ts'

/** One thing that was measured, round by round. */
export interface Measurement {
  /** `throughput`, `latency`, … */
  row: string
  /** Of what in the row: `events/s`, `CPU per event`, … */
  metric: string
  unit: string
  /** Under what: `batch 100`, `consumer works 20 us`, … */
  setting: string
  /** Whose: a client, an entry point. */
  subject: string
  /** By round; NaN where a round has none. */
  values: number[]
}

/** A course of values: over time, over size. */
export interface Curve {
  row: string
  metric: string
  unit: string
  subject: string
  /** What `x` of the points is. */
  over: string
  points: [x: number, y: number][]
}

export type Key = Pick<Measurement, 'row' | 'metric' | 'setting' | 'subject'>

/** Everything of one run. */
export interface Measurements {
  /** Without a round: after the last one. */
  add(key: Key, unit: string, value: number, round?: number): void
  values(key: Key): readonly number[]
  all(): readonly Measurement[]
  addCurve(curve: Curve): void
  curves(): readonly Curve[]
}

export function measurements(): Measurements {
  const kept = new Map<string, Measurement>()
  const courses: Curve[] = []
  const name = ({ row, metric, setting, subject }: Key): string => [row, metric, setting, subject].join('\n')
  return {
    add({ row, metric, setting, subject }, unit, value, round) {
      const key = name({ row, metric, setting, subject })
      const found = kept.get(key) ?? { row, metric, unit, setting, subject, values: [] }
      const at = round ?? found.values.length
      while (found.values.length < at) found.values.push(Number.NaN)
      found.values[at] = value
      kept.set(key, found)
    },
    values: (key) => kept.get(name(key))?.values ?? [],
    all: () => [...kept.values()],
    addCurve: (curve) => void courses.push(curve),
    curves: () => courses,
  }
}

export function summaryOf({ values }: Measurement): Summary {
  return summary(values.filter(Number.isFinite))
}
