import { type ReplayId, SfStreamError, type StartPosition } from '@sfstream/core'
import { isMark, isReplayId, type Mark } from '@sfstream/core/internal'

/** Where a reader goes on in a channel. */
export type CursorPosition = StartPosition | Mark

/**
 * What the SSE id holds: an org, and a position for each channel. Opaque to everybody but this package; nothing in it is secret, and
 * nothing is believed: whoever sends one is authorized for each channel anyway.
 */
export interface Cursor {
  org: string
  positions: ReadonlyMap<string, CursorPosition>
}

const version = '1'
/** Longer ones are none of ours. */
export const maxCursorLength = 16_384

export function formatPosition(position: CursorPosition): string {
  return isMark(position) ? `@${position.hub}.${position.number}` : String(position)
}

/** What a channel's part begins with. */
export function channelPart(channel: string): string {
  return `~${encoded(channel)}=`
}

export function cursorStart(org: string): string {
  return `${version}~${encoded(org)}`
}

/** `~` parts a cursor, and is left as it is by `encodeURIComponent`. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll('~', '%7E')
}

export function formatCursor({ org, positions }: Cursor): string {
  let text = cursorStart(org)
  for (const [channel, position] of positions) text += channelPart(channel) + formatPosition(position)
  return text
}

/** @throws SfStreamError `bad_option` for what is no cursor of ours */
export function parseCursor(text: string): Cursor {
  const bad = (why: string): SfStreamError =>
    new SfStreamError({
      code: 'bad_option',
      message: `The cursor '${text.slice(0, 100)}' ${why}.`,
      remediation: 'Send the id of an event as it came, or none to begin with new events.',
    })
  if (text.length > maxCursorLength) throw bad(`is longer than ${maxCursorLength} characters`)
  const [first, org, ...parts] = text.split('~')
  if (first !== version || !org) throw bad('is not one of this relay')
  const positions = new Map<string, CursorPosition>()
  try {
    for (const part of parts) {
      const at = part.indexOf('=')
      if (at < 1) throw bad('is damaged')
      const position = parsePosition(part.slice(at + 1))
      if (position === undefined) throw bad('is damaged')
      positions.set(decodeURIComponent(part.slice(0, at)), position)
    }
    return { org: decodeURIComponent(org), positions }
  } catch {
    throw bad('is damaged')
  }
}

/** The part of one channel, from a cursor of this relay's: as text, for who only hands it back. */
export function positionIn(cursor: string, channel: string): ReplayId | undefined {
  const part = channelPart(channel)
  const at = cursor.indexOf(part)
  return at < 0 ? undefined : (cursor.slice(at + part.length).split('~')[0] as ReplayId)
}

export function parsePosition(text: string): CursorPosition | undefined {
  if (text === 'all' || text === 'new' || text === 'off') return text
  const mark = /^@([a-z0-9]{1,40})\.(\d{1,15})$/.exec(text)
  if (mark) return { hub: mark[1] as string, number: Number(mark[2]) }
  if (!isReplayId(text)) return undefined
  const number = Number(text)
  return Number.isSafeInteger(number) && String(number) === text ? number : text
}
