import { loadClient } from '../clients/load-client.ts'
import type { Parent, StreamJob, StreamResult } from './job.ts'
import { spin } from './spin.ts'

/** Events are timed from the end of one reply's to the end of another's, so that no reply is counted in part. */
export async function streamTask({ client, url, batch, workUs, warmMs, runMs }: StreamJob, parent: Parent): Promise<StreamResult> {
  const connect = await loadClient(client)
  return new Promise((resolve, reject) => {
    const least = 3
    const startedAt = performance.now()
    let left = batch
    let batches = 0
    let began: { at: number; cpu: NodeJS.CpuUsage } | undefined
    const boundary = (): void => {
      left = batch
      batches++
      const now = performance.now()
      if (began) {
        if (now - began.at < runMs || batches < least) return
        const { user, system } = process.cpuUsage(began.cpu)
        began.at = now - began.at
        resolve({ events: batches * batch, ms: began.at, cpuUs: user + system })
        // What comes until the process ends counts no more.
        batches = Number.NEGATIVE_INFINITY
      } else if (now - startedAt >= warmMs && batches >= least) {
        parent.tell('began')
        batches = 0
        began = { at: performance.now(), cpu: process.cpuUsage() }
      }
    }
    const onEvent =
      workUs > 0
        ? () => {
            spin(workUs)
            if (--left === 0) boundary()
          }
        : () => {
            if (--left === 0) boundary()
          }
    connect({ url, channels: ['/event/Bench__e'], batch, onEvent }).catch(reject)
  })
}
