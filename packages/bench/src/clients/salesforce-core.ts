import { AuthInfo, Connection, Org, StreamingClient } from '@salesforce/core'
import { type Connect, type Payload, token } from './bench-client.ts'

/** One channel for each client, and a deadline for the whole of its stream: that is how this one works. */
export const connect: Connect = async ({ url, channels, onEvent }) => {
  const authInfo = await AuthInfo.create({ username: token, accessTokenOptions: { accessToken: token, instanceUrl: url } })
  const org = await Org.create({ connection: await Connection.create({ authInfo }) })
  for (const channel of channels) {
    const options = new StreamingClient.DefaultOptions(org, channel, (data) => {
      onEvent((data as unknown as { payload: Payload }).payload)
      return { completed: false }
    })
    options.apiVersion = '66.0'
    const client = await StreamingClient.create(options)
    await client.handshake()
    await new Promise<void>((resolve, reject) => {
      client.subscribe(async () => resolve()).catch(reject)
    })
  }
}
