import { setTimeout as sleep } from 'node:timers/promises'
import { headers, type Post } from '../clients/bare-loop.ts'
import { loadClient } from '../clients/load-client.ts'
import type { HeapJob, HeapResult, Parent } from './job.ts'

const warm = 20
const atOnce = 50

/** What each of many idle clients holds. The first ones pay for code and tables; they stay, and are not counted. */
export async function heapTask({ client, url, clients }: HeapJob, parent: Parent): Promise<HeapResult> {
  const start = await starter(client, url)
  const many = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += atOnce) await Promise.all(Array.from({ length: Math.min(atOnce, count - at) }, start))
    await sleep(300)
  }
  await many(warm)
  const before = await settled()
  await many(clients)
  // The parent looks whether each has its request held.
  parent.tell('ready')
  await parent.go
  const after = await settled()
  const each = (name: keyof HeapResult): number => (after[name] - before[name]) / clients
  return { heap: each('heap'), external: each('external'), rss: each('rss') }
}

/** A bare loop is only its held request here: what the transport alone costs. */
async function starter(client: HeapJob['client'], url: string): Promise<() => Promise<void>> {
  if (client === 'bare-fetch' || client === 'bare-http') {
    const { post } = (await import(`../clients/${client}.ts`)) as { post: Post }
    const body = JSON.stringify([{ channel: '/meta/connect', id: '3', clientId: 'bench0000000000', connectionType: 'long-polling' }])
    return async () => {
      post(`${url}/hold`, headers, body).catch(() => {})
      await sleep(1)
    }
  }
  const connect = await loadClient(client)
  return () => connect({ url, channels: ['/event/Bench__e'], batch: 1, onEvent: () => {} })
}

/** After several collections, the least of them: what is on its way at one moment is nobody's. */
async function settled(): Promise<HeapResult> {
  let least: HeapResult | undefined
  for (let each = 0; each < 4; each++) {
    globalThis.gc?.()
    await sleep(100)
    globalThis.gc?.()
    const { heapUsed: heap, external, rss } = process.memoryUsage()
    if (!least || heap < least.heap) least = { heap, external, rss }
  }
  return least!
}
