import faye from 'faye'
import { startFaye } from './faye-client.mjs'

export async function start({ url, token, ...rest }) {
  const client = new faye.Client(`${url}/cometd/66.0`)
  client.disable('websocket')
  client.setHeader('Authorization', `Bearer ${token}`)
  return startFaye(client, rest)
}
