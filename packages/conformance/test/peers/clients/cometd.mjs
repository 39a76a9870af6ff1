import { CometD } from 'cometd'
import { adapt } from 'cometd-nodejs-client'
import { replayMap } from './replay-extension.mjs'

adapt()

export async function start({ url, token, subscriptions, report }) {
  const cometd = new CometD()
  cometd.websocketEnabled = false
  cometd.unregisterTransport('websocket')
  cometd.configure({
    url: `${url}/cometd/66.0`,
    requestHeaders: { Authorization: `Bearer ${token}` },
    appendMessageTypeToURL: true,
    logLevel: 'error',
  })
  const replay = replayMap(subscriptions)
  cometd.registerExtension('replay', { outgoing: replay.outgoing, incoming: (message) => message })
  cometd.addListener('/meta/connect', (message) => {
    if (!message.successful)
      report({ kind: 'failed', channel: message.channel, error: message.error, reason: message.ext?.sfdc?.failureReason })
  })
  const subscribe = (channel) =>
    new Promise((resolve, reject) => {
      cometd.subscribe(
        channel,
        (message) => {
          replay.seen(channel, message.data)
          report({ kind: 'event', channel: message.channel, data: message.data })
        },
        (reply) => (reply.successful ? resolve() : reject(new Error(reply.error))),
      )
    })
  let first = true
  // A new handshake loses the subscriptions; the application makes them again.
  const started = new Promise((resolve, reject) => {
    cometd.addListener('/meta/handshake', (message) => {
      const reason = message.ext?.sfdc?.failureReason
      if (!message.successful) {
        report({ kind: 'failed', channel: message.channel, error: message.error, reason })
        if (first) reject(new Error(reason ?? message.error))
        return
      }
      if (!first) report({ kind: 'again' })
      first = false
      Promise.all(subscriptions.map(({ channel }) => subscribe(channel))).then(resolve, reject)
    })
  })
  cometd.handshake()
  await started
  return { stop: () => new Promise((resolve) => cometd.disconnect(resolve)) }
}
