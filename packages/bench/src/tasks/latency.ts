import { loadClient } from '../clients/load-client.ts'
import { monotonicMs } from '../monotonic.ts'
import type { LatencyJob, LatencyResult, Parent } from './job.ts'

export async function latencyTask({ client, url, count, warm }: LatencyJob, parent: Parent): Promise<LatencyResult> {
  const connect = await loadClient(client)
  return new Promise((resolve, reject) => {
    const latenciesMs: number[] = []
    connect({
      url,
      channels: ['/event/Bench__e'],
      batch: 1,
      onEvent({ Stamp__c }) {
        latenciesMs.push(monotonicMs() - Number(Stamp__c) / 1_000)
        if (latenciesMs.length === count) resolve({ latenciesMs: latenciesMs.slice(warm) })
      },
    }).then(() => parent.tell('ready'), reject)
  })
}
