import type { StreamingClient } from '@sfstream/core'
import type { Payload } from '../clients/bench-client.ts'
import { auth } from '../clients/sfstream.ts'
import { type CreateClient, loadCreateClient } from './create-client.ts'
import type { GrowthJob, GrowthResult, Parent } from './job.ts'
import { restingHeap } from './live-heap.ts'

const atOnce = 50
/** Events of the warm-up, from another plan of the server. */
export const warmEvents = 20_000

/** What is measured is growth: code is compiled and tables are made before, by a client that then stops. */
export async function growthTask({ client, url, clients, channels, events }: GrowthJob, parent: Parent): Promise<GrowthResult> {
  const createClient = await loadCreateClient(client)
  const warm = counter(warmEvents)
  const first = await start(createClient, url, ['/event/Bench__e'], warm.count)
  await warm.reached
  await first.stop()
  parent.tell('began')
  await parent.go
  const before = await restingHeap()
  const all = counter(events * clients)
  const startedAt = performance.now()
  for (let at = 0; at < clients; at += atOnce)
    await Promise.all(Array.from({ length: Math.min(atOnce, clients - at) }, () => start(createClient, url, channels, all.count)))
  const readyMs = performance.now() - startedAt
  const openedAt = performance.now()
  parent.tell('ready')
  await all.reached
  const runMs = performance.now() - openedAt
  return { readyMs, runMs, heap: (await restingHeap()) - before }
}

async function start(createClient: CreateClient, url: string, channels: readonly string[], count: () => void): Promise<StreamingClient> {
  const client = createClient({ auth: auth(url), replayStore: null })
  const subscriptions = channels.map((channel) => client.subscribe<Payload>(channel, { replay: 'new' }))
  for (const subscription of subscriptions)
    void (async () => {
      for await (const _ of subscription) count()
    })()
  await Promise.all(subscriptions.map(({ ready }) => ready))
  return client
}

function counter(total: number): { count(): void; reached: Promise<void> } {
  let left = total
  let finish = (): void => {}
  const reached = new Promise<void>((resolve) => {
    finish = resolve
  })
  const count = (): void => {
    if (--left === 0) finish()
  }
  return { count, reached }
}
