/** The pieces of a body, decoded when it is over. */
export interface HttpBody {
  readonly bytes: number
  add(piece: Buffer): void
  /** As UTF-8, without a byte order mark, broken characters replaced: as `fetch` reads a text. */
  text(): string
}

export function httpBody(): HttpBody {
  let bytes = 0
  let blocks: Buffer[] = []
  let pieces: Buffer[] = []
  return {
    get bytes() {
      return bytes
    },
    add(piece) {
      bytes += piece.length
      pieces.push(piece)
      // Joined in blocks: a piece of one byte costs a hundred, which a body in such pieces turns into gigabytes.
      if (pieces.length < 1_000) return
      blocks.push(Buffer.concat(pieces))
      pieces = []
    },
    text() {
      const [only] = pieces
      const whole = only && blocks.length === 0 && pieces.length === 1 ? only : Buffer.concat([...blocks, ...pieces])
      blocks = []
      pieces = []
      const hasMark = whole[0] === 0xef && whole[1] === 0xbb && whole[2] === 0xbf
      return whole.toString('utf8', hasMark ? 3 : 0)
    },
  }
}
