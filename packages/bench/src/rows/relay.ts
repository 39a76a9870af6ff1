import { bareLatency, type Percentiles, relayLoad } from '@sfstream/conformance/relay-load/relay-load.ts'
import type { RowContext } from './row.ts'

/** `pnpm relay-load`, a few times, beside its bare loop of writes: from when the relay's client has an event to when each reader has. */
export async function relay({ measured, quick, note }: RowContext): Promise<void> {
  const readers = quick ? 50 : 500
  const singles = quick ? 50 : 200
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    const add = (subject: string, latencyMs: Percentiles): void => {
      for (const metric of ['p50', 'p95', 'p99'] as const)
        measured.add({ row: 'relay', metric, setting: `${readers} readers`, subject }, 'ms', latencyMs[metric])
    }
    const { latencyMs, complete } = await relayLoad({ readers, singles, burst: quick ? 500 : 5_000 })
    if (complete !== readers - 1) note(`relay: ${complete} of ${readers - 1} readers had every event`)
    add('relay', latencyMs)
    add('a bare loop of writes', await bareLatency(readers, singles))
  }
}
