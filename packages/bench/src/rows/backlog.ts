import { labels, sfstreams } from '../clients/client-names.ts'
import { runClient } from '../harness/run-client.ts'
import { quantile, rising } from '../stats/summary.ts'
import { attempt, type RowContext } from './row.ts'

const batch = 1_000
const workUs = 10

/** A backlog comes much faster than it is worked off: memory stays where it is, and the org is asked for no event twice. */
export async function backlog(context: RowContext): Promise<void> {
  const { server, measured, quick } = context
  const events = quick ? 100_000 : 1_000_000
  for (const client of sfstreams) {
    await attempt(context, `${labels[client]}, backlog`, async () => {
      await server.plan({ feed: { kind: 'backlog', events, batch } })
      // Longer than a poll may be held back, so that the channel is given up and taken up again.
      const job = { task: 'backlog', client, url: server.url, events, batch, workUs, stallMs: quick ? 0 : 35_000 } as const
      // V8 throws compiled code away that was idle for half a minute, megabytes at once: that is no part of what is buffered.
      const run = runClient(job, { timeoutMs: 600_000, nodeArgs: ['--no-flush-bytecode'] })
      const { ms, live, peak, bound, outOfOrder } = await run.result
      const { written } = await server.figures()
      const add = (metric: string, unit: string, value: number): void =>
        measured.add({ row: 'backlog', metric, setting: `${events} events, slow consumer`, subject: labels[client] }, unit, value)
      const bytes = live.map(([, value]) => value)
      const third = Math.floor(bytes.length / 3)
      const middle = (values: number[]): number => quantile(rising(values), 0.5)
      add('time', 's', ms / 1_000)
      add('most heap in use, garbage included', 'MB', peak / 1e6)
      add('most live heap', 'MB', Math.max(...bytes) / 1e6)
      add('bound of the live heap', 'MB', bound / 1e6)
      add('most live heap / bound', 'x', Math.max(...bytes) / bound)
      add(
        'rise of the live heap from first to last third / bound',
        'x',
        (middle(bytes.slice(-third)) - middle(bytes.slice(0, third))) / bound,
      )
      add('org deliveries / events', 'x', written / events)
      add('events out of order, lost or repeated', 'events', outOfOrder)
      const points = live.map(([x, y]): [number, number] => [x, y / 1e6])
      measured.addCurve({ row: 'backlog', metric: 'live heap', unit: 'MB', subject: labels[client], over: 'events taken', points })
    })
  }
}
