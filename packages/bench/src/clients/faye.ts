import faye from 'faye'
import { type Connect, cometdPath, type Payload, token } from './bench-client.ts'

/** What of a Faye client is used, whoever made it. */
export interface FayeClient {
  subscribe(channel: string, listener: (data: { payload: Payload }) => void): PromiseLike<unknown>
}

interface Own {
  disable(transport: string): void
  setHeader(name: string, value: string): void
}

export async function subscribeAll(client: FayeClient, channels: readonly string[], onEvent: (payload: Payload) => void): Promise<void> {
  await Promise.all(channels.map((channel) => client.subscribe(channel, ({ payload }) => onEvent(payload))))
}

export const connect: Connect = async ({ url, channels, onEvent }) => {
  // The types that jsforce declares for it know a part of it only.
  const client = new faye.Client(`${url}${cometdPath}`) as unknown as FayeClient & Own
  client.disable('websocket')
  client.setHeader('Authorization', `Bearer ${token}`)
  await subscribeAll(client, channels, onEvent)
}
