import { CometD } from 'cometd'
import { adapt } from 'cometd-nodejs-client'
import { type Connect, cometdPath, type Payload, token } from './bench-client.ts'

adapt()

export const connect: Connect = async ({ url, channels, onEvent }) => {
  const cometd = new CometD()
  cometd.unregisterTransport('websocket')
  cometd.configure({ url: `${url}${cometdPath}`, requestHeaders: { Authorization: `Bearer ${token}` } })
  const subscribe = (channel: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const taken = (message: { data?: unknown }): void => onEvent((message.data as { payload: Payload }).payload)
      cometd.subscribe(channel, taken, (reply) => (reply.successful ? resolve() : reject(new Error(reply.error))))
    })
  await new Promise<void>((resolve, reject) => {
    // A new handshake loses the subscriptions; the application makes them again.
    cometd.addListener('/meta/handshake', (message) => {
      if (message.successful) Promise.all(channels.map(subscribe)).then(() => resolve(), reject)
    })
    cometd.handshake()
  })
}
