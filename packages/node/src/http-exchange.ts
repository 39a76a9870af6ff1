import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Platform, TransportRequest, TransportResponse } from '@sfstream/core'
import { notAnswered, notReached, watchdog } from '@sfstream/core/internal'
import { type HttpReply, httpReply } from './http-reply.ts'

export interface HttpExchangeParts {
  request: TransportRequest
  platform: Platform
  /** Makes the request, and ends it. */
  send(): ClientRequest
  /** The headers are in. */
  answered(response: IncomingMessage): void
}

/**
 * One request, from its first byte to the last of the reply. It settles once; whatever settles it early destroys the socket.
 * Callbacks only: what is awaited between two pieces of a body costs more than the pieces. What reads the reply is made when there
 * is one, since a poll is held for two minutes before.
 */
export function httpExchange({ request, platform, send, answered }: HttpExchangeParts): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    const { url, signal, deadline } = request
    if (signal.aborted) return reject(signal.reason)
    let outgoing: ClientRequest | undefined
    let response: IncomingMessage | undefined
    let reply: HttpReply | undefined
    let settled = false

    const settle = (isWhole: boolean): void => {
      settled = true
      dog.stop()
      signal.removeEventListener('abort', abort)
      if (isWhole) return
      outgoing?.destroy()
      reply?.destroy()
    }
    const fail = (error: unknown): void => {
      if (settled) return
      settle(false)
      reject(error)
    }
    const abort = (): void => fail(signal.reason)
    const finish = (cut?: TransportResponse['cut']): void => {
      if (settled || !response || !reply) return
      const { statusCode = 0, headers, complete } = response
      // Not complete: what was decoded has ended before the body has.
      settle(complete && !cut)
      resolve({ status: statusCode, header: (name) => headerValue(headers[name]), text: reply.text(), ...(cut ? { cut } : {}) })
    }
    const closed = (cause?: unknown): void => {
      // A connection may end before what came over it is decoded.
      if (settled || response?.complete) return
      if (reply) reply.broken()
      else fail(notReached(url, cause ? withoutPacket(cause) : new Error('the connection was closed')))
    }

    const dog = watchdog(deadline, platform, (what) => {
      if (reply) finish('timeout')
      else fail(notAnswered(what))
    })
    signal.addEventListener('abort', abort, { once: true })
    try {
      outgoing = send()
    } catch (cause) {
      return fail(notReached(url, cause))
    }
    outgoing.on('response', (incoming: IncomingMessage) => {
      // Nobody waits for it any more.
      if (settled) return
      dog.progress()
      answered(incoming)
      response = incoming
      reply = httpReply(incoming, { progress: dog.progress, done: finish })
    })
    outgoing.on('error', closed)
    // Whatever else ends a connection, such as an upgrade that nobody asked for.
    outgoing.on('close', closed)
  })
}

function headerValue(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}

/** An error of the parser holds what it could not read: as much as a socket gives, with whatever a server echoes in it. */
function withoutPacket(cause: unknown): unknown {
  if (cause instanceof Error && 'rawPacket' in cause) delete cause.rawPacket
  return cause
}
