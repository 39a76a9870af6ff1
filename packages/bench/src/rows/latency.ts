import { type ClientName, labels, pairs, peers } from '../clients/client-names.ts'
import { runClient } from '../harness/run-client.ts'
import { quantile, rising } from '../stats/summary.ts'
import { attempt, type RowContext } from './row.ts'

const meanMs = 4

/** Single events at Poisson times, the same times for every client of a round. */
export async function latency(context: RowContext): Promise<void> {
  const { server, measured, quick } = context
  const clients: ClientName[] = [...pairs, ...peers]
  const warm = quick ? 100 : 300
  const count = warm + (quick ? 400 : 1_500)
  for (let round = 0; round < (quick ? 2 : 3); round++) {
    for (const client of clients) {
      await attempt(context, `${labels[client]}, latency`, async () => {
        await server.plan({ feed: { kind: 'hold' } })
        const run = runClient({ task: 'latency', client, url: server.url, count, warm })
        run.result.catch(() => {})
        await run.told('ready')
        await server.publish({ count, meanMs, seed: 1_000 + round })
        const sorted = rising((await run.result).latenciesMs)
        const { gapsMs } = await server.figures()
        const add = (metric: string, value: number): void =>
          measured.add(
            { row: 'latency', metric, setting: `one event each ${meanMs} ms, Poisson`, subject: labels[client] },
            'ms',
            value,
            round,
          )
        add('p50', quantile(sorted, 0.5))
        add('p95', quantile(sorted, 0.95))
        add('p99', quantile(sorted, 0.99))
        add('re-poll gap, median', quantile(gapsMs, 0.5))
      })
    }
  }
}
