// A service: works off events, answers health checks, and finishes what is in hand before it ends.
import { createServer } from 'node:http'
import { clientCredentials, createClient, fileReplayStore } from '@sfstream/node'

const { SF_LOGIN_URL: loginUrl, SF_CLIENT_ID: clientId, SF_CLIENT_SECRET: clientSecret, SF_CHANNEL: channel, PORT = '8080' } = process.env
if (!loginUrl || !clientId || !clientSecret || !channel) {
  console.error('Set SF_LOGIN_URL, SF_CLIENT_ID, SF_CLIENT_SECRET and SF_CHANNEL.')
  process.exit(2)
}

const client = createClient({
  auth: clientCredentials({ loginUrl, clientId, clientSecret }),
  replayStore: fileReplayStore({ path: process.env.POSITIONS ?? './positions' }),
})

const health = createServer((_, response) => {
  response.writeHead(client.state === 'live' ? 200 : 503, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ state: client.state, ...subscription.stats }))
})
health.listen(Number(PORT), '127.0.0.1', () => {
  const address = health.address()
  if (typeof address === 'object') console.log(`health: http://127.0.0.1:${address?.port}`)
})

// askStop() lets the handler finish, and takes nothing new: what is still buffered is handled first, too.
process.once('SIGTERM', () => client.askStop())
process.once('SIGINT', () => client.askStop())

const subscription = client.subscribe(channel)
try {
  await subscription.process(async (event) => {
    // Your work; the position moves when it has resolved.
    console.log(`event ${JSON.stringify(event.payload)}`)
  })
} finally {
  await client.stop()
  health.close()
  console.log('stopped')
}
