import jsforce from 'jsforce'
import { type Connect, token } from './bench-client.ts'
import { type FayeClient, subscribeAll } from './faye.ts'

export const connect: Connect = async ({ url, channels, onEvent }) => {
  const connection = new jsforce.Connection({ instanceUrl: url, accessToken: token, version: '66.0' })
  const client = connection.streaming.createClient([]) as unknown as FayeClient
  await subscribeAll(client, channels, onEvent)
}
