import { SubscribeError, textOf } from '../../errors.ts'

/** A channel as given by a caller, checked. @throws SubscribeError `bad_channel` */
export function checkedChannel(value: unknown): string {
  const refuse = (why: string, remediation: string): SubscribeError =>
    new SubscribeError({
      code: 'bad_channel',
      message: `Channel ${typeof value === 'string' ? JSON.stringify(value) : textOf(value)} ${why}.`,
      remediation,
    })
  if (typeof value !== 'string') throw refuse('is not text', "Pass a name such as '/event/Order__e'.")
  if (/^\s|[\s\p{Cc}]$|^\/+$|\/\//u.test(value)) {
    throw refuse('is not a channel name', 'Mind spaces and slashes.')
  }
  if (!value.startsWith('/')) {
    const hasFamily = /^(event|data|topic|u|systemTopic)\//.test(value)
    throw refuse("does not start with '/'", `Use '${hasFamily ? '' : /ChangeEvents?$/.test(value) ? '/data' : '/event'}/${value}'.`)
  }
  if (value.startsWith('/meta/')) throw refuse('is a protocol channel', 'Use messages() to see meta messages.')
  return value
}

/** A filtered PushTopic without its filter: the key of the replay map, and the channel its events may come on. */
export function bareChannel(channel: string): string {
  const query = channel.indexOf('?')
  return query < 0 ? channel : channel.slice(0, query)
}

/** Whether an event on `channel` belongs to a subscription: the same name, with or without filter, or under its wildcard. */
export function matchesSubscription(subscription: string, channel: string): boolean {
  if (subscription === channel || bareChannel(subscription) === bareChannel(channel)) return true
  if (subscription.endsWith('/**')) return channel.startsWith(subscription.slice(0, -2))
  if (!subscription.endsWith('/*')) return false
  const parent = subscription.slice(0, -1)
  return channel.startsWith(parent) && !channel.includes('/', parent.length)
}
