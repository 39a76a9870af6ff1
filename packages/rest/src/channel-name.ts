import { StateError } from '@sfstream/core'
import { textOf } from '@sfstream/core/internal'

function badChannel(channel: string, why: string, remediation: string): StateError {
  return new StateError({ code: 'bad_channel', channel, message: `'${channel}' ${why}.`, remediation })
}

/**
 * The API name of a platform event, from `/event/X__e` or `X__e`.
 * @throws StateError `bad_channel`
 */
export function eventName(channel: string): string {
  if (typeof channel !== 'string')
    throw badChannel(textOf(channel), 'is not text', "Pass the event's API name: 'Order__e' or '/event/Order__e'.")
  if (channel.startsWith('/u/')) throw badChannel(channel, 'is a generic channel, not a platform event', 'Use push() for it.')
  if (/^\/(?:data|topic|systemTopic)\//.test(channel) || /ChangeEvents?$/.test(channel)) {
    throw badChannel(
      channel,
      'carries events of the org itself; nobody can publish to it',
      'Change the record, or publish to a platform event of your own.',
    )
  }
  const name = /^(?:\/event\/)?([A-Za-z]\w*)$/.exec(channel)?.[1]
  if (name?.endsWith('__chn')) throw badChannel(channel, 'is a custom channel', 'Publish to one of the events it carries.')
  if (!name || (!channel.startsWith('/event/') && !name.endsWith('__e'))) {
    throw badChannel(channel, 'is not a platform event', "Use its API name: 'Order__e' or '/event/Order__e'.")
  }
  return name
}

/**
 * Checks the name of a generic streaming channel.
 * @throws StateError `bad_channel`
 */
export function genericChannel(channel: string): string {
  if (/^\/u\/[^\s*/][^\s*]*$/.test(channel)) return channel
  throw badChannel(
    channel,
    'is not a generic channel',
    "Use the StreamingChannel's name: '/u/Notifications', without spaces or wildcards. For platform events use publish().",
  )
}

/** A string literal of SOQL. */
export function soqlString(value: string): string {
  const escaped = value
    .replace(/[\\'"]/g, '\\$&')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t')
  return `'${escaped}'`
}
