// Prints every event of a channel, and goes on where it was when it is started again.
import { clientCredentials, createClient } from '@sfstream/deno'

const [channel] = Deno.args
const { SF_LOGIN_URL: loginUrl, SF_CLIENT_ID: clientId, SF_CLIENT_SECRET: clientSecret } = Deno.env.toObject()
if (!channel || !loginUrl || !clientId || !clientSecret) {
  console.error('Usage: SF_LOGIN_URL=… SF_CLIENT_ID=… SF_CLIENT_SECRET=… deno run … main.ts /event/Order__e')
  Deno.exit(2)
}

const client = createClient({ auth: clientCredentials({ loginUrl, clientId, clientSecret }) })
// The loop ends, what was finished is saved, and the org is told goodbye.
Deno.addSignalListener('SIGINT', () => client.stop())

for await (const event of client.subscribe(channel)) console.log(event.replayId, JSON.stringify(event.payload))
// The goodbye may still be on its way.
await client.stop()
Deno.exit()
