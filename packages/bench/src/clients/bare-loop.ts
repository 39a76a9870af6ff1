import { type Connect, type ConnectOptions, cometdPath, type Payload, token } from './bench-client.ts'

export interface Posted {
  text: string
  cookie(): string | undefined
}

/** Posts, and resolves with the body's text; gives up at the deadline. */
export type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<Posted>

export interface Message {
  clientId?: string
  data?: { payload: Payload }
}

export const deadlineMs = 130_000
export const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }

type Consume = (messages: readonly Message[], onEvent: ConnectOptions['onEvent']) => Promise<void> | undefined

const inTurn: Consume = (messages, onEvent) => {
  for (const { data } of messages) if (data) onEvent(data.payload)
  return undefined
}

/** What no client can do without: a request with a deadline, JSON.parse, a look at each message. Nothing is checked or kept. */
export function bareLoop(post: Post, consume: Consume = inTurn): Connect {
  return async ({ url, channels, onEvent }) => {
    const endpoint = `${url}${cometdPath}`
    const shake = { channel: '/meta/handshake', id: '1', version: '1.0', supportedConnectionTypes: ['long-polling'], ext: { replay: true } }
    const handshaken = await post(endpoint, headers, JSON.stringify([shake]))
    const [{ clientId }] = JSON.parse(handshaken.text) as [Message]
    const cookie = handshaken.cookie()
    const own = cookie ? { ...headers, cookie } : headers
    for (const subscription of channels)
      await post(endpoint, own, JSON.stringify([{ channel: '/meta/subscribe', id: '2', clientId, subscription }]))
    void (async () => {
      for (let id = 3; ; id++) {
        const body = JSON.stringify([{ channel: '/meta/connect', id: String(id), clientId, connectionType: 'long-polling' }])
        const { text } = await post(endpoint, own, body)
        const consuming = consume(JSON.parse(text) as Message[], onEvent)
        if (consuming) await consuming
      }
    })()
  }
}
