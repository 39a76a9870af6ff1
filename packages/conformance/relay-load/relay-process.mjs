// The process under load: a relay on Node's HTTP server, with one session at the org. Runs what is built. Tells its parent, in lines of
// JSON: its port, when each event reached it, and what memory it holds whenever it is asked.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { createClient } from '@sfstream/core'
import { createRelay } from '@sfstream/relay'

const [session, channel] = process.argv.slice(2)
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)

const connect = (purpose) => {
  const client = createClient({ auth: JSON.parse(session), replayStore: null })
  if (purpose === 'live') note(client).catch(() => {})
  return client
}
/** When a loop has each event that needs no relay. It is the first on the channel, so it is before the relay. */
async function note(client) {
  for await (const event of client.subscribe(channel, { replay: 'new' })) arrivals[event.payload.Number__c] = process.hrtime.bigint()
}
const arrivals = []
const relay = createRelay({ connect, channels: [channel], authorize: () => true, maxClients: 2_000, window: { maxEvents: 1_000 } })
const server = createServer(relay.node)
server.listen(0, '127.0.0.1', () => tell({ port: server.address().port }))

const megabytes = (bytes) => Math.round(bytes / 104_857.6) / 10
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'memory') {
    globalThis.gc()
    const { heapUsed, external, rss } = process.memoryUsage()
    tell({ memory: { heap: megabytes(heapUsed + external), rss: megabytes(rss) }, stats: relay.stats })
  } else if (line === 'arrivals') tell({ arrivals: arrivals.map(String) })
  else break
}
await relay.close()
server.closeAllConnections()
server.close()
