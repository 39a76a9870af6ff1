import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Platform, TransportRequest, TransportResponse } from '@sfstream/core'
import { notAnswered, notReached, type Watchdog, watchdog } from '@sfstream/core/internal'
import { type HttpReply, httpReply } from './http-reply.ts'

/** What exchanges have from the transport they belong to. */
export interface HttpRequests {
  readonly platform: Platform
  /** Makes the request, and ends it. */
  send(request: TransportRequest): ClientRequest
  /** The headers are in. */
  answered(request: Sent, response: IncomingMessage, outgoing: ClientRequest): void
  /** The connection has ended before there were any. */
  lost(outgoing: ClientRequest): void
}

/** What is still of use of a request once it is sent. A poll is held for two minutes: without its body and its headers. */
type Sent = Pick<TransportRequest, 'url' | 'signal' | 'readAhead'>

/**
 * One request, from its first byte to the last of the reply. It settles once; whatever settles it early destroys the socket.
 * Callbacks only: what is awaited between two pieces of a body costs more than the pieces. What reads the reply is made when there
 * is one, since a poll is held for two minutes before.
 */
export function httpExchange(request: TransportRequest, requests: HttpRequests): Promise<TransportResponse> {
  return new Promise((resolve, reject) => new HttpExchange(request, requests, resolve, reject).begin(request))
}

class HttpExchange {
  readonly #sent: Sent
  readonly #requests: HttpRequests
  /** How it settles; let go of once it has: Node may keep a request, and with it what was read. */
  #outcome: { resolve(response: TransportResponse): void; reject(reason: unknown): void } | undefined
  #outgoing: ClientRequest | undefined
  #response: IncomingMessage | undefined
  #reply: HttpReply | undefined
  #dog: Watchdog | undefined

  constructor(
    { url, signal, readAhead }: TransportRequest,
    requests: HttpRequests,
    resolve: (response: TransportResponse) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#sent = { url, signal, ...(readAhead && { readAhead }) }
    this.#requests = requests
    this.#outcome = { resolve, reject }
  }

  begin(request: TransportRequest): void {
    const { url, signal, deadline } = request
    if (signal.aborted) return this.#fail(signal.reason)
    const closed = (cause?: unknown): void => this.#closed(cause)
    this.#dog = watchdog(deadline, this.#requests.platform, (what) => {
      if (this.#reply) this.#finish('timeout')
      else this.#fail(notAnswered(what))
    })
    signal.addEventListener('abort', this, { once: true })
    try {
      this.#outgoing = this.#requests.send(request)
    } catch (cause) {
      return this.#fail(notReached(url, cause))
    }
    this.#outgoing.on('response', (incoming) => this.#answered(incoming))
    this.#outgoing.on('error', closed)
    // Whatever else ends a connection, such as an upgrade that nobody asked for.
    this.#outgoing.on('close', closed)
  }

  /** The caller's signal has aborted. It listens itself: a function for that would be one more object a poll. */
  handleEvent(): void {
    this.#fail(this.#sent.signal.reason)
  }

  #answered(response: IncomingMessage): void {
    // Nobody waits for it any more.
    if (!this.#outcome || !this.#outgoing) return
    this.#dog?.progress()
    this.#requests.answered(this.#sent, response, this.#outgoing)
    this.#response = response
    this.#reply = httpReply(this.#sent, response, { progress: () => this.#dog?.progress(), done: (cut) => this.#finish(cut) })
  }

  #finish(cut?: TransportResponse['cut']): void {
    const outcome = this.#outcome
    if (!outcome || !this.#response || !this.#reply) return
    const { statusCode = 0, headers, complete } = this.#response
    // Not complete: what was decoded has ended before the body has.
    this.#settle(complete && !cut)
    const header = (name: string): string | undefined => headerValue(headers[name])
    outcome.resolve({ status: statusCode, header, ...this.#reply.end(), ...(cut ? { cut } : {}) })
  }

  #closed(cause: unknown): void {
    // A connection may end before what came over it is decoded.
    if (!this.#outcome || this.#response?.complete) return
    if (this.#reply) return this.#reply.broken()
    if (this.#outgoing) this.#requests.lost(this.#outgoing)
    this.#fail(notReached(this.#sent.url, cause ? withoutPacket(cause) : new Error('the connection was closed')))
  }

  #fail(error: unknown): void {
    const outcome = this.#outcome
    if (!outcome) return
    this.#settle(false)
    outcome.reject(error)
  }

  #settle(isWhole: boolean): void {
    this.#outcome = undefined
    this.#dog?.stop()
    this.#sent.signal.removeEventListener('abort', this)
    if (isWhole) return
    this.#outgoing?.destroy()
    this.#reply?.destroy()
  }
}

function headerValue(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}

/** An error of the parser holds what it could not read: as much as a socket gives, with whatever a server echoes in it. */
function withoutPacket(cause: unknown): unknown {
  if (cause instanceof Error && 'rawPacket' in cause) delete cause.rawPacket
  return cause
}
