// Works off a channel, a little while on each event, with positions in a Deno KV of its own file. Killed by its test.
import { createClient, denoKvReplayStore } from '@sfstream/deno'

const [session, channel, path] = Deno.args
const client = createClient({ auth: JSON.parse(session), replayStore: denoKvReplayStore({ path }) })
const subscription = client.subscribe(channel)
for await (const { payload, replayId } of subscription) {
  console.log(`event ${payload.Number__c} ${replayId} durable ${subscription.stats.committed}`)
  await new Promise((resolve) => setTimeout(resolve, 1))
}
