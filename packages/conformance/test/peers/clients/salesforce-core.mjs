import { AuthInfo, Connection, Org, StreamingClient } from '@salesforce/core'

/** One channel for each client: that is how this one works. It disconnects when its processor says that it has what it wanted. */
export async function start({ url, token, subscriptions: [{ channel, replay }], wanted, report }) {
  const authInfo = await AuthInfo.create({ username: token, accessTokenOptions: { accessToken: token, instanceUrl: url } })
  const org = await Org.create({ connection: await Connection.create({ authInfo }) })
  let received = 0
  const options = new StreamingClient.DefaultOptions(org, channel, (data) => {
    received += 1
    report({ kind: 'event', channel, data })
    return { completed: received === wanted, payload: 'done' }
  })
  const client = await StreamingClient.create(options)
  if (replay !== undefined) client.replay(replay)
  await client.handshake()
  let end
  await new Promise((resolve, reject) => {
    end = client.subscribe(async () => resolve())
    end.then((payload) => report({ kind: 'ended', text: payload }), reject)
  })
  return { stop: async () => void (await end) }
}
