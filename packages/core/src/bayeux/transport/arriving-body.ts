import type { TransportRequest, TransportResponse } from './transport.ts'

/** From so many bytes on, what has arrived is read when more comes. */
const blockBytes = 48 * 1024
/** And from so many pieces on: a piece of one byte costs a hundred, and so does each `+=`, which a body in such pieces turns into gigabytes. */
const blockPieces = 1_000

/**
 * The text of a body as it arrives: UTF-8, without a byte order mark, broken characters replaced. Of a long one, messages are read while
 * the rest is still coming. A text of hundreds of kilobytes takes longer to make than its pieces do, and longer to parse.
 */
export class ArrivingBody {
  bytes = 0
  readonly #readAhead: TransportRequest['readAhead']
  readonly #decoder = new TextDecoder()
  #pieces: Uint8Array[] = []
  #pieceBytes = 0
  #text = ''
  readonly #ahead: { messages: unknown[]; length: number } = { messages: [], length: 0 }
  /** With less text there is no use in reading ahead. */
  #enough = blockBytes

  constructor({ readAhead }: Pick<TransportRequest, 'readAhead'>) {
    this.#readAhead = readAhead
  }

  add(piece: Uint8Array): void {
    if (this.#pieceBytes >= blockBytes || this.#pieces.length === blockPieces) this.#read()
    this.#pieces.push(piece)
    this.#pieceBytes += piece.length
    this.bytes += piece.length
  }

  /** All that has arrived. Nothing more is to come. */
  end(): Pick<TransportResponse, 'text' | 'ahead'> {
    this.#decode()
    return { text: this.#text + this.#decoder.decode(), ahead: this.#ahead }
  }

  #decode(): void {
    this.#text += this.#pieces.map((piece) => this.#decoder.decode(piece, { stream: true })).join('')
    this.#pieces = []
    this.#pieceBytes = 0
  }

  #read(): void {
    this.#decode()
    if (!this.#readAhead || this.#text.length < this.#enough) return
    const { messages, rest } = this.#readAhead(this.#text)
    // Where nothing was whole, only twice as much is worth another look.
    this.#enough = messages.length > 0 ? blockBytes : 2 * this.#text.length
    for (const message of messages) this.#ahead.messages.push(message)
    this.#ahead.length += this.#text.length - rest.length
    this.#text = rest
  }
}
