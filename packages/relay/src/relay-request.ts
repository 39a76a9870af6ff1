import { SfStreamError, SubscribeError } from '@sfstream/core'
import { type Cursor, type CursorPosition, parseCursor } from './cursor.ts'
import type { CheckedRelayOptions } from './relay-options.ts'

/** What a stream is asked to be. */
export interface StreamRequest {
  channels: readonly string[]
  /** What the reader has reached; undefined: it begins. */
  cursor: Cursor | undefined
  /** The cursor could not be read. */
  cursorError: SfStreamError | undefined
  from: 'new' | 'all'
  /** What a position that cannot be honoured is replaced by; 'none': the channel ends, for its reader to decide. */
  fallback: 'all' | 'new' | 'none'
}

/**
 * Reads `?channel=…` (repeated), `cursor`, `from` and `fallback`, and the header `Last-Event-ID`, which comes later than `cursor` and
 * wins. @throws SfStreamError `bad_option`, SubscribeError
 */
export function streamRequest(request: Request, options: CheckedRelayOptions): StreamRequest {
  const { searchParams: query } = new URL(request.url)
  const bad = (message: string, remediation: string): SfStreamError => new SfStreamError({ code: 'bad_option', message, remediation })
  const channels = [...new Set(query.getAll('channel'))]
  if (channels.length === 0) throw bad('No channel was asked for.', 'Name one with ?channel=/event/Order__e; several may be given.')
  const unknown = channels.find((channel) => !options.channels.includes(channel))
  if (unknown !== undefined) {
    throw notFor(unknown, 'is not offered here', 'Ask for a channel that GET without Accept: text/event-stream lists.')
  }
  const from = query.get('from') ?? options.from
  if (from !== 'new' && from !== 'all') throw bad(`from=${from.slice(0, 100)} is neither 'new' nor 'all'.`, "Use 'new' or 'all'.")
  const fallback = query.get('fallback') ?? options.fallback
  if (fallback !== 'all' && fallback !== 'new' && fallback !== 'none') {
    throw bad(`fallback=${fallback.slice(0, 100)} is unknown.`, "Use 'all', 'new' or 'none'.")
  }
  const text = request.headers.get('last-event-id') || query.get('cursor') || undefined
  let cursor: Cursor | undefined
  let cursorError: SfStreamError | undefined
  try {
    cursor = text === undefined ? undefined : parseCursor(text)
  } catch (error) {
    cursorError = error as SfStreamError
  }
  return { channels, cursor, cursorError, from, fallback }
}

export function notFor(channel: string, why: string, remediation: string): SubscribeError {
  return new SubscribeError({ code: 'subscribe_refused', channel, message: `Channel '${channel.slice(0, 200)}' ${why}.`, remediation })
}

/** Where a channel begins, and what is to be reported about it. */
export function beginning(
  { cursor, cursorError, from }: StreamRequest,
  channel: string,
  org: string,
): {
  position: CursorPosition
  refused?: { reason: 'position-refused' | 'other-org'; from: CursorPosition | undefined; error?: SfStreamError }
} {
  if (cursorError) return { position: from, refused: { reason: 'position-refused', from: undefined, error: cursorError } }
  const position = cursor?.positions.get(channel)
  if (position === undefined) return { position: from }
  return cursor?.org === org ? { position } : { position, refused: { reason: 'other-org', from: position } }
}
