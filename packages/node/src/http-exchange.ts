import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Platform, TransportRequest, TransportResponse } from '@sfstream/core'
import { maxBodyBytes, notAnswered, notReached, watchdog } from '@sfstream/core/internal'
import { type ContentDecoder, contentCodings, contentDecoder } from './content-decoder.ts'
import { httpBody } from './http-body.ts'

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
 * Callbacks only: what is awaited between two pieces of a body costs more than the pieces.
 */
export function httpExchange({ request, platform, send, answered }: HttpExchangeParts): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    const { url, signal, deadline } = request
    if (signal.aborted) return reject(signal.reason)
    let outgoing: ClientRequest | undefined
    let response: IncomingMessage | undefined
    let decoder: ContentDecoder | undefined
    let settled = false
    const body = httpBody()

    /** True the first time. */
    const settle = (): boolean => {
      if (settled) return false
      settled = true
      dog.stop()
      signal.removeEventListener('abort', abort)
      return true
    }
    const drop = (): void => {
      outgoing?.destroy()
      decoder?.destroy()
    }
    const fail = (error: unknown): void => {
      if (!settle()) return
      drop()
      reject(error)
    }
    const abort = (): void => fail(signal.reason)
    const finish = (cut?: TransportResponse['cut']): void => {
      if (!settle()) return
      if (cut || !response?.complete) drop()
      const { statusCode = 0, headers = {} } = response ?? {}
      resolve({
        status: statusCode,
        header(name) {
          const value = headers[name]
          return Array.isArray(value) ? value.join(', ') : value
        },
        text: body.text(),
        ...(cut ? { cut } : {}),
      })
    }
    const closed = (cause?: unknown): void => {
      if (settled) return
      if (!response) return fail(notReached(url, withoutPacket(cause ?? new Error('the connection was closed'))))
      // What the parser read in the turn in which it failed.
      while (response.read() !== null);
      // What had arrived is decoded first, and then it fails.
      if (decoder) decoder.end()
      else finish('broken')
    }

    const take = (piece: Buffer): void => {
      if (settled) return
      dog.progress()
      body.add(piece)
      if (body.bytes > maxBodyBytes) finish('too_large')
    }
    const takePlain = (incoming: IncomingMessage): void => {
      incoming.on('data', take)
      incoming.on('end', () => finish(incoming.complete ? undefined : 'broken'))
    }
    const takeCoded = async (incoming: IncomingMessage, codings: readonly string[]): Promise<void> => {
      const zlib = await import('node:zlib')
      const isBroken = (): 'broken' | undefined => (incoming.complete ? undefined : 'broken')
      incoming.on('data', (piece: Buffer) => {
        if (settled) return
        dog.progress()
        decoder ??= contentDecoder(zlib, codings, piece, {
          data: take,
          drained: () => incoming.resume(),
          ended: () => finish(isBroken()),
          failed: () => finish('broken'),
        })
        if (!decoder.write(piece)) incoming.pause()
      })
      incoming.on('end', () => {
        if (decoder) decoder.end()
        else finish(isBroken())
      })
    }

    const dog = watchdog(deadline, platform, (what) => {
      if (response) finish('timeout')
      else fail(notAnswered(what))
    })
    signal.addEventListener('abort', abort, { once: true })
    try {
      outgoing = send()
    } catch (cause) {
      return fail(notReached(url, cause))
    }
    outgoing.on('response', (incoming: IncomingMessage) => {
      // Of what is settled nothing is read any more.
      if (settled) return
      response = incoming
      dog.progress()
      incoming.on('error', closed)
      answered(incoming)
      const codings = contentCodings(incoming.headers['content-encoding'])
      if (codings) void takeCoded(incoming, codings)
      else takePlain(incoming)
    })
    outgoing.on('error', closed)
    // Whatever else ends a connection, such as an upgrade that nobody asked for.
    outgoing.on('close', () => closed())
  })
}

/** An error of the parser holds what it could not read: as much as a socket gives, with whatever a server echoes in it. */
function withoutPacket(cause: unknown): unknown {
  if (cause instanceof Error && 'rawPacket' in cause) delete cause.rawPacket
  return cause
}
