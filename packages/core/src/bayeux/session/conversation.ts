import { ProtocolError, SfStreamError, textOf } from '../../errors.ts'
import type { Extension } from '../../options.ts'
import { retryAfterMs } from '../transport/retry-after.ts'
import type { Deadline, Transport, TransportResponse } from '../transport/transport.ts'
import { badReply, type Decoded, decode, decodeBroken } from '../wire/decode.ts'
import { encode } from '../wire/encode.ts'
import { type Fault, statusFault, transientFault } from '../wire/fault.ts'
import type { BayeuxMessage } from '../wire/message.ts'
import { readAhead } from '../wire/read-ahead.ts'

/** Where to post, and as whom. */
export interface Address {
  url: URL
  accessToken: string
}

/** What became of one POST. `complete` is false when the reply broke off. */
export interface Answer {
  decoded: Decoded
  complete: boolean
  bytesEach: number
  /** Why there are no messages in it. */
  fault?: Fault
  retryAfterMs?: number | undefined
}

export interface Conversation {
  /** Sends messages. Resolves with the raw response. @throws TransportError, or the signal's reason */
  post(address: Address, messages: readonly BayeuxMessage[], deadline: Deadline, signal: AbortSignal): Promise<TransportResponse>
  /** Reads a response: Bayeux messages first, whatever the status; the status only where there are none. [PROTOCOL F6] */
  read(response: TransportResponse, request: string): Answer
  nextId(): string
  /** The time by the server's clock, from its last `Date`. */
  orgNow(): number
  /** Ids begin anew with each handshake. */
  resetIds(): void
  /** Whether an extension wants to see replies before anything else is sent. */
  readonly inspectsReplies: boolean
}

export function conversation(transport: Transport, extensions: readonly Extension[], now: () => number): Conversation {
  return new ExtendedConversation(transport, extensions, now)
}

type Step = (message: BayeuxMessage) => BayeuxMessage | null

class ExtendedConversation implements Conversation {
  readonly #transport: Transport
  readonly #now: () => number
  readonly #outgoing: readonly Step[]
  readonly #incoming: readonly Step[]
  #lastId = 0
  #skewMs = 0

  constructor(transport: Transport, extensions: readonly Extension[], now: () => number) {
    this.#transport = transport
    this.#now = now
    this.#outgoing = extensions.flatMap((extension) => extension.outgoing?.bind(extension) ?? []).reverse()
    this.#incoming = extensions.flatMap((extension) => extension.incoming?.bind(extension) ?? [])
  }

  get inspectsReplies(): boolean {
    return this.#incoming.length > 0
  }

  orgNow(): number {
    return this.#now() + this.#skewMs
  }

  nextId(): string {
    return String(++this.#lastId)
  }

  resetIds(): void {
    this.#lastId = 0
  }

  post(address: Address, messages: readonly BayeuxMessage[], deadline: Deadline, signal: AbortSignal): Promise<TransportResponse> {
    return this.#transport.exchange({
      url: address.url,
      headers: { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${address.accessToken}` },
      body: encode(this.#sent(messages)),
      deadline,
      signal,
      readAhead,
      // [PROTOCOL T5]
      keepalive: messages[0]?.channel === '/meta/disconnect',
    })
  }

  read(response: TransportResponse, request: string): Answer {
    const { status, text, ahead, cut } = response
    this.#readDate(response)
    const answer: Answer = { decoded: { all: [], meta: [], events: [], bad: [] }, complete: !cut, bytesEach: 0 }
    try {
      // What a failure has of a body says nothing where it broke off.
      if (!cut || status === 200) {
        const decoded = this.#extended((cut ? decodeBroken : decode)(text, ahead?.messages))
        const isBayeux = decoded.meta.length + decoded.events.length > 0
        if (isBayeux || (status === 200 && (cut || decoded.bad.length === 0)))
          return { ...answer, decoded, bytesEach: (text.length + (ahead?.length ?? 0)) / (decoded.all.length || 1) }
        if (status === 200) throw badReply('The reply holds no Bayeux message.')
      }
    } catch (error) {
      if (status === 200) return { ...answer, fault: readFault(error) }
    }
    return { ...answer, fault: statusFault(status, request), retryAfterMs: retryAfterMs(response.header('retry-after'), this.orgNow()) }
  }

  #readDate(response: TransportResponse): void {
    const shown = Date.parse(response.header('date') ?? '')
    const behindMs = this.#now() - shown
    // Where the whole second that it shows leaves it open, the clocks agree.
    if (shown > 0) this.#skewMs = behindMs < 0 ? -behindMs : Math.min(0, 999 - behindMs)
  }

  #extended(decoded: Decoded): Decoded {
    if (!this.inspectsReplies) return decoded
    // An extension may count what it sees, so each message passes once.
    const results = new Map(decoded.all.map((message) => [message, through(message, this.#incoming)]))
    const after = (messages: readonly BayeuxMessage[]): BayeuxMessage[] => messages.flatMap((message) => results.get(message) ?? [])
    return { all: after(decoded.all), meta: after(decoded.meta), events: after(decoded.events), bad: decoded.bad }
  }

  #sent(messages: readonly BayeuxMessage[]): readonly BayeuxMessage[] {
    try {
      return messages.flatMap((message) => through(message, this.#outgoing))
    } catch (error) {
      throw extensionFailed(error)
    }
  }
}

function through(message: BayeuxMessage, steps: readonly Step[]): BayeuxMessage[] {
  let current: BayeuxMessage | null = message
  for (const step of steps) {
    current = step(current)
    if (!current) return []
  }
  return [current]
}

function readFault(error: unknown): Fault {
  if (error instanceof SfStreamError) return error.code === 'message_too_large' ? { kind: 'config', error } : transientFault(error)
  return transientFault(extensionFailed(error))
}

function extensionFailed(cause: unknown): ProtocolError {
  return new ProtocolError({
    code: 'bad_reply',
    message: `An extension failed: ${textOf(cause)}.`,
    remediation: 'Mend the extension.',
    retryable: true,
    cause,
  })
}
