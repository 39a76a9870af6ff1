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

/** Pages are told little of what goes wrong between here and the org; you are told all of it. No error holds a secret. */
const tell = (/** @type {string} */ what, /** @type {unknown} */ error) => {
  const remediation = error instanceof Error && 'remediation' in error ? ` ${error.remediation}` : ''
  console.error(`${what}${error === undefined ? '' : `: ${error instanceof Error ? error.message : error}${remediation}`}`)
}
/** @param {import('@sfstream/node').StreamingClient} client @param {string} purpose */
const watch = async (client, purpose) => {
  for await (const status of client.status()) {
    if (status.type === 'state') tell(`${purpose} ${status.state}`, status.error)
    else if (status.type === 'replayGap') tell(`${purpose} replayGap (${status.reason}) on ${status.channel}`, status.error)
    else if (status.type === 'rehandshake') tell(`${purpose} rehandshake`, status.reason)
    else if ('error' in status) tell(`${purpose} ${status.type}`, status.error)
  }
}

const relay = createRelay({
  connect(purpose) {
    try {
      const client = createClient({ auth: clientCredentials({ loginUrl, clientId, clientSecret }), replayStore: null })
      watch(client, purpose).catch((error) => tell(`${purpose} status`, error))
      return client
    } catch (error) {
      tell(`${purpose} connect`, error)
      throw error
    }
  },
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
