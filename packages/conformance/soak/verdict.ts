import type { Sample, SoakRecord } from './soak-record.ts'

export interface Check {
  name: string
  /** Undefined: there was too little to judge by. */
  passed: boolean | undefined
  /** What was measured, against what. */
  finding: string
}

/** A line through the samples may rise so much in all: less than what one small object a reply would leave behind in ten minutes. */
const heapRiseBytes = 1_000_000
/** The first quarter warms up: code is compiled, buffers and pools reach their size. */
const warmUp = 0.25
/** Fewer samples after the warm-up say nothing. */
const enoughSamples = 30
/** The median of the last third may be above that of the first by so much. */
const handleRise = 1
/** At any time: a poll, a control request and a login, each on a connection that is just being replaced. */
const mostSockets = 6

export function judge(record: SoakRecord): Check[] {
  const { samples, channels, failures, statuses, left } = record
  const all = Object.values(channels)
  const total = (of: (channel: (typeof all)[number]) => number): number => all.reduce((sum, channel) => sum + of(channel), 0)
  const published = total((channel) => channel.published)
  const lost = published - total((channel) => channel.handled)
  const repeated = total((channel) => channel.repeated)
  const disordered = total((channel) => channel.disordered)
  const unsaved = all.filter(({ stored, last }) => stored !== last).length
  const warm = samples.slice(Math.floor(samples.length * warmUp))
  const peak = Math.max(0, ...samples.map(({ sockets }) => sockets))
  return [
    published === 0 && record.interrupted
      ? { name: 'events', passed: undefined, finding: 'not judged: none was published before the end' }
      : check('events', published > 0 && lost === 0, `${published} published, ${lost} lost`),
    check('repeats', repeated === 0 && disordered === 0, `${repeated} handled twice, ${disordered} out of order`),
    check('loops', failures.length === 0, failures.length === 0 ? 'none ended with an error' : failures.join('; ')),
    check('gaps', !statuses.replayGap, `${statuses.replayGap ?? 0} reported`),
    check('positions', unsaved === 0, `${unsaved} of ${all.length} channels end with another stored position than their last event`),
    check('connects', record.mostConnects <= 1, `at most ${record.mostConnects} at once`),
    heapCheck(warm),
    medianCheck('handles', warm, ({ handles }) => handles),
    medianCheck('sockets', warm, ({ sockets }) => sockets),
    check('socket peak', peak <= mostSockets, `${peak} at most, ${mostSockets} allowed`),
    check(
      'release',
      left.slots === 0 && left.handles === 0 && left.exit === 0,
      `after stop(): ${left.slots} client slots, ${left.handles} handles, the process ended with ${left.exit}`,
    ),
  ]
}

function check(name: string, passed: boolean, finding: string): Check {
  return { name, passed, finding }
}

function tooFew(name: string, warm: readonly Sample[]): Check | undefined {
  if (warm.length >= enoughSamples) return undefined
  return { name, passed: undefined, finding: `not judged: ${warm.length} samples after the warm-up, ${enoughSamples} are needed` }
}

function heapCheck(warm: readonly Sample[]): Check {
  const few = tooFew('heap', warm)
  if (few) return few
  const perMs = slope(warm.map(({ atMs, heapBytes }) => [atMs, heapBytes]))
  const spanMs = warm.at(-1)!.atMs - warm[0]!.atMs
  const rise = perMs * spanMs
  const text = `${(rise / 1e6).toFixed(2)} MB rise over ${(spanMs / 60_000).toFixed(1)} min by the fitted line (${(perMs * 3_600).toFixed(0)} KB/h)`
  return check('heap', rise <= heapRiseBytes, `${text}, ${heapRiseBytes / 1e6} MB allowed`)
}

function medianCheck(name: string, warm: readonly Sample[], of: (sample: Sample) => number): Check {
  const few = tooFew(name, warm)
  if (few) return few
  const third = Math.floor(warm.length / 3)
  const first = median(warm.slice(0, third).map(of))
  const last = median(warm.slice(-third).map(of))
  return check(name, last <= first + handleRise, `median ${first} in the first third, ${last} in the last, ${handleRise} more allowed`)
}

/** Of the least-squares line. */
function slope(points: readonly (readonly [number, number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length
  let above = 0
  let below = 0
  for (const [x, y] of points) {
    above += (x - meanX) * (y - meanY)
    below += (x - meanX) ** 2
  }
  return below === 0 ? 0 : above / below
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
