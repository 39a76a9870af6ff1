import { loadClient } from '../clients/load-client.ts'
import type { GrowthJob, GrowthResult, Parent } from './job.ts'
import { restingHeap } from './live-heap.ts'

const atOnce = 50

export async function growthTask({ client, url, clients, channels, events, batch }: GrowthJob, parent: Parent): Promise<GrowthResult> {
  const connect = await loadClient(client)
  const before = await restingHeap()
  let left = events * clients
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const onEvent = (): void => {
    if (--left === 0) finish()
  }
  const startedAt = performance.now()
  for (let at = 0; at < clients; at += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, clients - at) }, () => connect({ url, channels, batch, onEvent }))
    await Promise.all(some)
  }
  const readyMs = performance.now() - startedAt
  const openedAt = performance.now()
  parent.tell('ready')
  await finished
  const runMs = performance.now() - openedAt
  return { readyMs, runMs, heap: (await restingHeap()) - before }
}
