// One session with the org, handed on to every page that asks.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { clientCredentials, createClient } from '@sfstream/node'
import { createRelay } from '@sfstream/relay'

const { SF_LOGIN_URL: loginUrl, SF_CLIENT_ID: clientId, SF_CLIENT_SECRET: clientSecret, SF_CHANNEL: channel, PORT = '8080' } = process.env
if (!loginUrl || !clientId || !clientSecret || !channel) {
  console.error('Set SF_LOGIN_URL, SF_CLIENT_ID, SF_CLIENT_SECRET and SF_CHANNEL.')
  process.exit(2)
}

const relay = createRelay({
  connect: () => createClient({ auth: clientCredentials({ loginUrl, clientId, clientSecret }), replayStore: null }),
  channels: [channel],
  // Look at your own session cookie here: whoever passes sees every event of the channel.
  authorize: () => true,
  // Readers are told nothing of this.
  onError: (error) => console.error('relay:', error instanceof Error ? error.message : error),
})
const page = (await readFile(new URL('page.html', import.meta.url), 'utf8')).replaceAll('{{channel}}', encodeURIComponent(channel))

const server = createServer((request, response) => {
  if (request.url?.startsWith('/events')) void relay.node(request, response)
  else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page)
})
server.listen(Number(PORT), '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object') console.log(`page: http://127.0.0.1:${address?.port}`)
})

const stop = async () => {
  // Every page is told to come back, and does, to whoever listens then.
  await relay.close()
  server.close()
  server.closeIdleConnections()
  console.log('stopped')
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
