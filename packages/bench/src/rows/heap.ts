import { type ClientName, labels, pairs } from '../clients/client-names.ts'
import { runClient } from '../harness/run-client.ts'
import { attempt, type RowContext } from './row.ts'

export const idleClients = 1_000

/** What an idle client holds, beside a bare held request of the same transport. */
export async function heap(context: RowContext): Promise<void> {
  const { server, measured, quick } = context
  const clients: ClientName[] = [...pairs, 'cometd', 'faye', 'jsforce']
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    for (const client of clients) {
      await attempt(context, `${labels[client]}, heap`, async () => {
        await server.plan({ feed: { kind: 'hold' } })
        const run = runClient({ task: 'heap', client, url: server.url, clients: idleClients })
        run.result.catch(() => {})
        await run.told('ready')
        const held = await server.held()
        // A client that holds nothing costs nothing.
        if (held < idleClients) throw new Error(`${held} of ${idleClients} requests were held`)
        run.go()
        const result = await run.result
        const add = (metric: string, bytes: number): void =>
          measured.add({ row: 'heap', metric, setting: `${idleClients} idle clients`, subject: labels[client] }, 'KB', bytes / 1_000, round)
        add('heap per client', result.heap)
        add('buffers outside of the heap, per client', result.external)
        add('resident memory, per client', result.rss)
      })
    }
  }
}
