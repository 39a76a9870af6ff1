/** Puts the whole replay map into each subscribe, as the Java client of Salesforce does, and notes what arrives. */
export function replayMap(subscriptions) {
  const map = {}
  for (const { channel, replay } of subscriptions) if (replay !== undefined) map[channel] = replay
  return {
    map,
    outgoing(message) {
      if (message.channel === '/meta/subscribe' && Object.keys(map).length > 0) message.ext = { ...message.ext, replay: map }
      return message
    },
    seen(channel, data) {
      const id = data?.event?.replayId
      if (id !== undefined && map[channel] !== undefined) map[channel] = id
    },
  }
}
