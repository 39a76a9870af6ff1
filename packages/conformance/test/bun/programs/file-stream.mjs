// Works off a channel, a little while on each event, with positions in files of the working directory. Killed by its test.
import { createClient } from '@sfstream/node'

const [session, channel] = process.argv.slice(2)
const client = createClient({ auth: JSON.parse(session) })
const subscription = client.subscribe(channel)
for await (const { payload, replayId } of subscription) {
  console.log(`event ${payload.Number__c} ${replayId} durable ${subscription.stats.committed}`)
  await new Promise((resolve) => setTimeout(resolve, 1))
}
