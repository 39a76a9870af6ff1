import { labels, sfstreams } from '../clients/client-names.ts'
import { runClient } from '../harness/run-client.ts'
import { powerFit } from '../stats/fit.ts'
import type { GrowthJob, GrowthResult } from '../tasks/job.ts'
import { attempt, type RowContext } from './row.ts'

type Load = Omit<GrowthJob, 'task' | 'client' | 'url'> & { batch: number; eventBytes?: number }

interface Suite {
  /** What grows. */
  over: string
  points: readonly number[]
  load(x: number): Load
  metrics(result: GrowthResult, load: Load): Record<string, readonly [value: number, unit: string]>
}

const channelNames = (count: number): string[] => Array.from({ length: count }, (_, at) => `/event/Bench_${at}__e`)
const megabytes = (bytes: number): readonly [number, string] => [bytes / 1e6, 'MB']

/** About what an event takes on the wire besides its text. */
const envelopeBytes = 330

const suites: readonly Suite[] = [
  {
    over: 'events',
    points: [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000],
    load: (events) => ({ clients: 1, channels: channelNames(1), events, batch: 1_000 }),
    metrics: ({ runMs, heap }) => ({ 'time in all': [runMs, 'ms'], heap: megabytes(heap) }),
  },
  {
    over: 'channels',
    points: [1, 2, 5, 10, 20, 50, 100, 200],
    // A multiple of each number of channels, so that every one gets its share of every reply.
    load: (channels) => ({ clients: 1, channels: channelNames(channels), events: 100_000, batch: 1_000 }),
    metrics: ({ readyMs, runMs, heap }) => ({
      'time to subscribe': [readyMs, 'ms'],
      'time for 100,000 events': [runMs, 'ms'],
      heap: megabytes(heap),
    }),
  },
  {
    over: 'clients in one process',
    points: [1, 5, 20, 100, 500, 1_000, 2_000],
    load: (clients) => ({ clients, channels: channelNames(1), events: 100, batch: 10 }),
    metrics: ({ readyMs, runMs, heap }) => ({
      'time to connect all': [readyMs, 'ms'],
      'time for 100 events each': [runMs, 'ms'],
      heap: megabytes(heap),
    }),
  },
  {
    over: 'bytes of payload',
    points: [100, 1_000, 10_000, 100_000, 1_000_000],
    load: (bytes) => {
      const batch = Math.max(1, Math.min(100, Math.floor(4e6 / bytes)))
      const events = Math.max(10, Math.min(500, Math.floor(2e8 / bytes / batch))) * batch
      return { clients: 1, channels: channelNames(1), events, batch, eventBytes: bytes + envelopeBytes }
    },
    metrics: ({ runMs, heap }, { events }) => ({
      'time for each event': [runMs / events, 'ms'],
      heap: megabytes(heap),
    }),
  },
]

/** Time and memory against size: points, and the exponent of a power law through them. */
export async function growth(context: RowContext): Promise<void> {
  for (const suite of suites) {
    const points = context.quick ? suite.points.filter((_, at) => at % 2 === 0) : suite.points
    for (let round = 0; round < (context.quick ? 1 : 3); round++)
      for (const x of points)
        for (const client of sfstreams)
          await attempt(context, `${labels[client]}, ${x} ${suite.over}`, () => sample(context, suite, x, client))
    fit(context, suite, points)
  }
}

async function sample({ server, measured }: RowContext, suite: Suite, x: number, client: (typeof sfstreams)[number]): Promise<void> {
  const { batch, eventBytes = 400, ...load } = suite.load(x)
  await server.plan({ feed: { kind: 'stream', batch: 1_000 } })
  const run = runClient({ task: 'growth', client, url: server.url, ...load }, { timeoutMs: 300_000, nodeArgs: ['--no-flush-bytecode'] })
  run.result.catch(() => {})
  await run.told('began')
  await server.plan({ feed: { kind: 'stream', batch, total: load.events }, channels: load.channels, eventBytes, closed: true })
  run.go()
  await run.told('ready')
  await server.open()
  for (const [metric, [value, unit]] of Object.entries(suite.metrics(await run.result, suite.load(x))))
    measured.add({ row: `growth over ${suite.over}`, metric, setting: String(x), subject: labels[client] }, unit, value)
}

/** Curves of the medians, and their exponents. */
function fit({ measured, note }: RowContext, { over }: Suite, xs: readonly number[]): void {
  const row = `growth over ${over}`
  const found = measured.all().filter((each) => each.row === row)
  for (const metric of new Set(found.map((each) => each.metric))) {
    for (const subject of new Set(found.map((each) => each.subject))) {
      const points = xs.flatMap((x): [number, number][] => {
        const values = [...measured.values({ row, metric, setting: String(x), subject })].sort((a, b) => a - b)
        const middle = values[Math.floor(values.length / 2)]
        return middle === undefined ? [] : [[x, middle]]
      })
      // Memory that fell has no logarithm.
      if (points.filter(([, y]) => y > 0).length < 2) {
        note(`${row}, ${metric}, ${subject}: too few points for a fit`)
        continue
      }
      const { unit } = found.find((each) => each.metric === metric)!
      measured.addCurve({ row, metric, unit, subject, over, points })
      measured.add(
        { row: 'growth', metric: 'exponent of the fit', setting: over, subject: `${subject}: ${metric}` },
        'y ~ x^e',
        powerFit(points).exponent,
      )
    }
  }
}
