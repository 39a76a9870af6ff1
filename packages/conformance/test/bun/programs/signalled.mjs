// A service that stops on signals. `plain`: and ends in its own way; `exit`: by its signal's code; `disposed`: and no longer listens.
import { createClient, disconnectOnSignals } from '@sfstream/node'

const [session, channel, mode] = process.argv.slice(2)
const client = createClient({ auth: JSON.parse(session) })
const alive = setInterval(() => {}, 1_000)
const dispose = disconnectOnSignals(client, { exit: mode === 'exit' })
if (mode === 'disposed') dispose()
void (async () => {
  for await (const status of client.status()) console.log(`status ${status.state ?? status.type}`)
})()
for await (const { payload } of client.subscribe(channel)) console.log(`event ${payload.Number__c}`)
console.log('loop ended')
if (mode === 'plain') clearInterval(alive)
