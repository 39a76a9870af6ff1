import type { ReplayId } from '../../events/stream-event.ts'
import type { BayeuxMessage } from './message.ts'

/** The org refuses bodies of more than 32,768 bytes with 413: [facts 1.2]. */
const maxBodyBytes = 32_768

/** A request body. Replay ids kept as text leave as the raw digits they came as. */
export function encode(messages: readonly BayeuxMessage[]): string {
  return `[${messages.map(encodeOne).join(',')}]`
}

function encodeOne(message: BayeuxMessage): string {
  const text = JSON.stringify(message)
  if (message.channel !== '/meta/subscribe') return text
  return text.replace(/("replay":\{"(?:[^"\\]|\\.)*":)"(\d+)"/, '$1$2')
}

/** Messages split so that each body stays under the org's limit. */
export function chunked(messages: readonly BayeuxMessage[]): BayeuxMessage[][] {
  const chunks: BayeuxMessage[][] = []
  let size = 0
  for (const message of messages) {
    const bytes = new TextEncoder().encode(JSON.stringify(message)).length + 1
    const last = chunks.at(-1)
    if (last && size + bytes < maxBodyBytes - 2) {
      last.push(message)
      size += bytes
    } else {
      chunks.push([message])
      size = bytes
    }
  }
  return chunks
}

/** The value of `ext.replay` for a start position. */
export function replayValue(position: ReplayId | 'all' | 'new'): number | string {
  return position === 'all' ? -2 : position === 'new' ? -1 : position
}
