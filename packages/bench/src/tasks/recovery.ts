import { loadClient } from '../clients/load-client.ts'
import { monotonicMs } from '../monotonic.ts'
import type { Parent, RecoveryJob, RecoveryResult } from './job.ts'

export async function recoveryTask({ client, url }: RecoveryJob, parent: Parent): Promise<RecoveryResult> {
  const connect = await loadClient(client)
  const arrivalsMs: number[] = []
  await connect({ url, channels: ['/event/Bench__e'], batch: 1, onEvent: () => void arrivalsMs.push(monotonicMs()) })
  parent.tell('ready')
  await parent.go
  return { arrivalsMs }
}
