import { ProtocolError } from '../../errors.ts'
import { isOfKind, kindOf } from '../../kind-of.ts'
import { parseLossless } from './lossless.ts'
import type { BayeuxMessage } from './message.ts'
import { quoted } from './quoted.ts'

/** What the protocol acts on, and the kinds of value it may be. Each field may be absent; the message itself is kept as parsed. */
const metaFields = {
  channel: 'string',
  id: 'string number',
  clientId: 'string',
  successful: 'boolean',
  error: 'string null',
  subscription: 'string array',
  advice: 'object array null',
  ext: 'object array null',
}

export interface Decoded {
  /** Every message, in order. */
  all: BayeuxMessage[]
  /** Replies and server pushes, in order. */
  meta: BayeuxMessage[]
  /** Data messages, in order. */
  events: BayeuxMessage[]
  /** What is neither; reported, never acted on. */
  bad: unknown[]
}

/** A single message may not exceed this many characters. */
const maxMessageLength = 16 * 1024 * 1024

/**
 * The messages of a whole reply; `ahead`: those that were read while it was coming. A bare object counts as an array of one; a byte order
 * mark is skipped.
 * @throws ProtocolError `bad_reply`
 */
export function decode(text: string, ahead: unknown[] = []): Decoded {
  const plain = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  let parsed: unknown
  try {
    parsed = parseLossless(plain)
  } catch {
    // Without the parser's own error: it quotes the text too, tokens and all.
    throw badReply(text.trim() ? `The reply is not JSON; it begins ${JSON.stringify(quoted(text, 60))}.` : 'The reply is empty.')
  }
  if (typeof parsed !== 'object' || parsed === null) {
    const shown = typeof parsed === 'string' ? quoted(parsed, 60) : parsed
    throw badReply(`The reply is ${JSON.stringify(shown)}, not an array of messages.`)
  }
  return sorted(ahead.concat(parsed))
}

/**
 * The whole messages of a reply that broke off.
 * @throws ProtocolError `message_too_large` when not even the first message fits
 */
export function decodeBroken(text: string, ahead: unknown[] = []): Decoded {
  const { elements, restLength } = /^\s*\[/.test(text) ? completeElements(text) : { elements: [], restLength: 0 }
  if (ahead.length + elements.length === 0 && restLength > maxMessageLength) {
    throw new ProtocolError({
      code: 'message_too_large',
      message: `A single message is over ${maxMessageLength} characters.`,
      remediation: 'Resume after it with an explicit replay id.',
    })
  }
  return sorted(ahead.concat(elements.flatMap(parsedIfSound)))
}

function parsedIfSound(text: string): unknown[] {
  try {
    return [parseLossless(text)]
  } catch {
    return []
  }
}

function sorted(messages: unknown[]): Decoded {
  const decoded: Decoded = { all: messages as BayeuxMessage[], meta: [], events: [], bad: [] }
  for (const message of messages) {
    if (isMessage(message) && isEvent(message)) decoded.events.push(message)
    else if (isMessage(message) && isWellFormed(message) && isReply(message)) decoded.meta.push(message)
    else decoded.bad.push(message)
  }
  if (!decoded.bad.every(isMessage)) decoded.all = messages.filter(isMessage)
  return decoded
}

function isMessage(value: unknown): value is BayeuxMessage {
  return kindOf(value) === 'object'
}

/**
 * A data message: a channel outside `/meta/` and data. Its id proves nothing (some servers keep the publisher's), except
 * on `/service/` channels, where it marks the reply to a message of ours.
 */
function isEvent({ channel, id, data, successful }: BayeuxMessage): boolean {
  if (typeof channel !== 'string' || channel.startsWith('/meta/') || data === undefined) return false
  return typeof successful !== 'boolean' && !(channel.startsWith('/service/') && id !== undefined)
}

function isWellFormed(message: BayeuxMessage): boolean {
  for (const [name, kinds] of Object.entries(metaFields)) {
    if (message[name] !== undefined && !isOfKind(message[name], kinds)) return false
  }
  return true
}

/** Some refusals carry neither channel nor id; the first handshake reply of old servers has neither `channel` nor `successful`. */
function isReply(message: BayeuxMessage): boolean {
  return (
    /^\/(meta|service)\//.test(message.channel ?? '') ||
    typeof message.successful === 'boolean' ||
    typeof message.clientId === 'string' ||
    !!message.error
  )
}

/** The elements of a top-level array that are complete, by one walk over the text. */
function completeElements(text: string): { elements: string[]; restLength: number } {
  const elements: string[] = []
  let depth = 0
  let from = -1
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 0x22) at = endOfString(text, at)
    else if (char === 0x7b || char === 0x5b) {
      if (depth === 1 && char === 0x7b) from = at
      depth++
    } else if (char === 0x7d || char === 0x5d) {
      depth--
      if (depth === 1 && from >= 0) {
        elements.push(text.slice(from, at + 1))
        from = -1
      }
    }
  }
  return { elements, restLength: from < 0 ? 0 : text.length - from }
}

/** Where the string that begins at `at` ends: at the next quote that no odd number of backslashes hides, or with the text. */
function endOfString(text: string, at: number): number {
  for (;;) {
    at = text.indexOf('"', at + 1)
    if (at < 0) return text.length
    let before = at - 1
    while (text.charCodeAt(before) === 0x5c) before--
    if ((at - before) % 2 === 1) return at
  }
}

const unclean = /"advice"|"successful"\s*:\s*false/

/**
 * How many events a reply holds at the most, if it plainly is a clean connect reply; undefined if the next connect must
 * wait for a closer look. Of a body of 300 KB the events are not looked into: that takes a fifth of the time that parsing
 * takes, and so much of what an early poll wins. [PROTOCOL C4]
 */
export function cleanReplySize(status: number, text: string, ahead: readonly unknown[] = []): number | undefined {
  if (status !== 200 || !text.startsWith('[') || !text.endsWith(']')) return undefined
  if (!ahead.every((message) => isMessage(message) && isEvent(message))) return undefined
  const at = text.indexOf('/meta/')
  if (text.indexOf('/meta/', at + 1) >= 0) return undefined
  // The reply to the connect stands behind the events, as Salesforce has it, or before them.
  const last = text.lastIndexOf('"data"')
  const reply = at > last ? text.slice(last + 1) : text.slice(0, text.indexOf('"data"'))
  if (!reply.includes('/meta/connect') || unclean.test(reply)) return undefined
  let size = ahead.length - 1
  // Without the first quote, which is everywhere: a search for it takes four times as long.
  for (let next = text.indexOf(channelKey); next >= 0; next = text.indexOf(channelKey, next + 1)) size++
  return size
}

const channelKey = 'channel"'

export function badReply(message: string): ProtocolError {
  return new ProtocolError({
    code: 'bad_reply',
    message,
    remediation: 'Check that the endpoint is an org’s /cometd, and no proxy or login page.',
    retryable: true,
  })
}
