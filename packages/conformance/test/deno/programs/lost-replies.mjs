// Prints the events of a channel; with `own`, over Deno's own fetch.
import { createClient } from '@sfstream/deno'

const [endpoint, channel, whose] = Deno.args
const client = createClient({
  auth: { accessToken: '00D000000000001!x', instanceUrl: 'https://acme.my.salesforce.com' },
  endpoint,
  replayStore: null,
  retry: { connect: { baseMs: 20, capMs: 100 } },
  ...(whose === 'own' && { platform: { fetch: (input, init) => fetch(input, init) } }),
})
for await (const { payload } of client.subscribe(channel)) console.log(`event ${payload.n}`)
