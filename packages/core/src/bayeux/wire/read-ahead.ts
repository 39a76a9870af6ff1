import { parseLossless } from './lossless.ts'

/** Messages that are whole in the text of a reply so far, and the text without them. */
export interface ReadAhead {
  messages: unknown[]
  rest: string
}

/**
 * Reads what is whole of a reply that is still coming. Between two objects it may be cut if what stands before is an array once it is
 * closed: inside a string, or deeper down, it would not parse.
 */
export function readAhead(text: string): ReadAhead {
  const at = text.lastIndexOf('},{"') + 1
  if (at > 0 && text.startsWith('[')) {
    try {
      return { messages: parseLossless(`${text.slice(0, at)}]`) as unknown[], rest: `[${text.slice(at + 1)}` }
    } catch {
      // Not there. More text brings another place.
    }
  }
  return { messages: [], rest: text }
}
