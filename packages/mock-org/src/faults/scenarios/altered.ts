import type { BayeuxMessage } from '@sfstream/core'
import { parseJson, toJson } from '../../json.ts'
import type { Fault } from '../fault.ts'

/** Failed replies in place of the org's: the fields that `change` gives, with id and channel as they were sent. */
export function refusal(change: (sent: BayeuxMessage) => Record<string, unknown>): Extract<Fault, { kind: 'messages' }> {
  return {
    kind: 'messages',
    messages: (sent) =>
      sent.map((message) => ({
        channel: message.channel ?? '',
        ...(message.id === undefined ? {} : { id: message.id }),
        successful: false,
        ...change(message),
      })),
  }
}

/** The org's reply with its messages changed; a body that is none is let be. */
export function altered(change: (messages: BayeuxMessage[]) => readonly BayeuxMessage[]): Extract<Fault, { kind: 'rewrite' }> {
  return {
    kind: 'rewrite',
    body(text) {
      if (!text.startsWith('[')) return text
      return toJson(change(parseJson(text) as BayeuxMessage[]).map(withBareDigits))
    },
  }
}

/** The same for the replies alone: events stay as they are. */
export function alteredReplies(change: (reply: BayeuxMessage) => BayeuxMessage): Extract<Fault, { kind: 'rewrite' }> {
  return altered((messages) => messages.map((message) => (isReply(message) ? change(message) : message)))
}

export function isReply(message: BayeuxMessage): boolean {
  return message.data === undefined
}

/** Long replay ids were read as text, and have to leave as digits. */
function withBareDigits(message: BayeuxMessage): BayeuxMessage {
  const event = (message.data as { event?: { replayId?: unknown } } | undefined)?.event
  if (event !== undefined && typeof event.replayId === 'string') event.replayId = BigInt(event.replayId)
  return message
}
