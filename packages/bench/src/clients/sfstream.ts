import type { AuthProvider, ClientOptions, StreamingClient, Subscription } from '@sfstream/core'
import { type Connect, freshToken, type Payload, token } from './bench-client.ts'

/** A login that has another token to give when the first one is refused. */
export function auth(url: string): AuthProvider {
  return { getSession: async ({ rejected }) => ({ accessToken: rejected ? freshToken : token, instanceUrl: url }) }
}

/** As an application uses it: `for await` over each subscription. */
export function sfstream(
  createClient: (options: ClientOptions) => StreamingClient,
  options: Pick<ClientOptions, 'replayStore'> = { replayStore: null },
): Connect {
  return async ({ url, channels, onEvent }) => {
    const client = createClient({ auth: auth(url), ...options })
    const consume = async (subscription: Subscription<Payload>): Promise<void> => {
      for await (const event of subscription) onEvent(event.payload)
    }
    const subscriptions = channels.map((channel) => client.subscribe<Payload>(channel, { replay: 'new' }))
    for (const subscription of subscriptions) void consume(subscription)
    await Promise.all(subscriptions.map(({ ready }) => ready))
  }
}
