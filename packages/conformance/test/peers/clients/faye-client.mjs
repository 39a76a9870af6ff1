import { replayMap } from './replay-extension.mjs'

/** Subscribes a Faye client, whoever made it, and reports what it meets. Faye resubscribes by itself after a new handshake. */
export async function startFaye(client, { subscriptions, report, replay = replayMap(subscriptions) }) {
  let handshakes = 0
  let failedFirst
  const refused = new Promise((_, reject) => {
    failedFirst = reject
  })
  refused.catch(() => undefined)
  client.addExtension({
    outgoing: (message, callback) => callback(replay.outgoing(message)),
    incoming(message, callback) {
      if (message.channel === '/meta/handshake' && message.successful) {
        handshakes += 1
        if (handshakes > 1) report({ kind: 'again' })
      }
      if (message.successful === false) {
        const reason = message.ext?.sfdc?.failureReason
        report({ kind: 'failed', channel: message.channel, error: message.error, reason })
        if (message.channel === '/meta/handshake') failedFirst(new Error(reason ?? message.error))
      }
      callback(message)
    },
  })
  const accepted = Promise.all(
    subscriptions.map(({ channel }) =>
      client
        .subscribe(channel, () => undefined)
        .withChannel((name, data) => {
          replay.seen(channel, data)
          report({ kind: 'event', channel: name, data })
        })
        .then(() => undefined),
    ),
  )
  await Promise.race([accepted, refused])
  return { stop: () => client.disconnect().then(() => undefined) }
}
