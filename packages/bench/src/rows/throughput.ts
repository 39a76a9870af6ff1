import { type ClientName, ceilings, labels, pairs, peers } from '../clients/client-names.ts'
import { runClient } from '../harness/run-client.ts'
import { quantile } from '../stats/summary.ts'
import { attempt, type RowContext } from './row.ts'

export const batches = [1, 10, 100, 1_000, 5_000] as const
export const workUs = 20

export interface ThroughputCase {
  batch: number
  workUs: number
  delayMs: number
}

/** The row a case belongs to: one table for each kind of consumer and network. */
export function throughputRow({ workUs: work, delayMs }: Omit<ThroughputCase, 'batch'>): string {
  const consumer = work > 0 ? `${work} us of work` : 'idle consumer'
  return delayMs > 0 ? `throughput, ${consumer}, ${delayMs} ms of delay` : `throughput, ${consumer}`
}

export const batchSetting = (batch: number): string => `batch ${batch}`

/** Events a second, CPU for each, the gap between polls, and how busy the server was: all of the same runs. */
export async function throughput(context: RowContext): Promise<void> {
  const idle: ClientName[] = [...pairs, 'bare-http-awaited', ...peers, 'sfstream-node-file', ...ceilings]
  // Peers on the same engine tell the same story twice.
  const working: ClientName[] = [...pairs, 'cometd', 'faye']
  for (const batch of batches) await rounds(context, { batch, workUs: 0, delayMs: 0 }, idle, context.quick ? 2 : 4)
  for (const batch of batches) await rounds(context, { batch, workUs, delayMs: 0 }, working, context.quick ? 2 : 4)
}

/** The same over a network: what counts is how many replies a round trip can be made to bring, and what is done meanwhile. */
export async function delay(context: RowContext): Promise<void> {
  const clients: ClientName[] = [...pairs, 'cometd']
  for (const delayMs of [50, 200])
    for (const work of [0, workUs])
      for (const batch of batches) await rounds(context, { batch, workUs: work, delayMs }, clients, context.quick ? 1 : 2)
}

async function rounds(context: RowContext, setting: ThroughputCase, clients: readonly ClientName[], count: number): Promise<void> {
  for (let round = 0; round < count; round++) for (const client of clients) await sample(context, setting, client, round)
}

async function sample(context: RowContext, setting: ThroughputCase, client: ClientName, round: number): Promise<void> {
  const { server, measured, quick } = context
  const { batch, delayMs } = setting
  const row = throughputRow(setting)
  await attempt(context, `${labels[client]}, ${row}, batch ${batch}`, async () => {
    await server.plan({ feed: { kind: 'stream', batch }, delayMs })
    const runMs = (quick ? 400 : 800) + delayMs * 5
    const run = runClient({ task: 'stream', client, url: server.url, batch, workUs: setting.workUs, warmMs: quick ? 300 : 1_200, runMs })
    run.result.catch(() => {})
    await run.told('began')
    await server.begin()
    const { events, ms, cpuUs } = await run.result
    const { gapsMs, busy } = await server.figures()
    const add = (metric: string, unit: string, value: number): void =>
      measured.add({ row, metric, setting: batchSetting(batch), subject: labels[client] }, unit, value, round)
    add('events per second', 'events/s', (events / ms) * 1_000)
    add('server busy', '% of a core', busy * 100)
    if (ceilings.some((ceiling) => ceiling === client)) return
    add('CPU per event', 'us', cpuUs / events)
    if (delayMs === 0) add('re-poll gap, median', 'ms', quantile(gapsMs, 0.5))
  })
}
