import jsforce from 'jsforce'
import streaming from 'jsforce/lib/api/streaming.js'
import { startFaye } from './faye-client.mjs'

export async function start({ url, token, subscriptions, report }) {
  const connection = new jsforce.Connection({ instanceUrl: url, accessToken: token, version: '66.0' })
  // One replay extension each: jsforce's own, which overwrites the map of the one before, so one channel is replayed at most.
  const extensions = subscriptions
    .filter(({ replay }) => replay !== undefined)
    .map(({ channel, replay }) => new streaming.StreamingExtension.Replay(channel, replay))
  const client = connection.streaming.createClient(extensions)
  return startFaye(client, { subscriptions, report, replay: { outgoing: (message) => message, seen: () => undefined } })
}
