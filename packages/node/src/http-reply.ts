import type { IncomingMessage } from 'node:http'
import type { TransportRequest, TransportResponse } from '@sfstream/core'
import { ArrivingBody, maxBodyBytes } from '@sfstream/core/internal'
import { type ContentDecoder, contentCodings, contentDecoder } from './content-decoder.ts'

export interface HttpReply {
  /** What has arrived, decoded; once. */
  end(): Pick<TransportResponse, 'text' | 'ahead'>
  /** The connection has ended too early. What had arrived is decoded first, and then `done` is called. */
  broken(): void
  /** Nothing more is decoded. */
  destroy(): void
}

export interface HttpReplyHooks {
  progress(): void
  /** The body is whole, or cut for this reason. */
  done(cut?: TransportResponse['cut']): void
}

/** Reads a body to its end or its cap. */
export function httpReply(
  request: Pick<TransportRequest, 'readAhead'>,
  incoming: IncomingMessage,
  { progress, done }: HttpReplyHooks,
): HttpReply {
  /** Until it is handed over: Node may keep what listens to a reply. */
  let body: ArrivingBody | undefined = new ArrivingBody(request)
  let decoder: ContentDecoder | undefined
  /** Takes the next piece; absent until what decodes it is loaded, and once there is none. */
  let arrived: ((piece: Buffer) => void) | undefined
  let isBroken = false
  let isOver = false

  const take = (piece: Buffer): void => {
    body?.add(piece)
    if (body && body.bytes > maxBodyBytes) done('too_large')
  }
  const broken = (): void => {
    isBroken = true
    const last = arrived
    if (!last) return
    arrived = undefined
    // What waits for room, and what the parser read in the turn in which it failed: of a reply that has failed, Node tells no listener.
    incoming.off('data', last)
    for (let piece: unknown = incoming.read(); piece !== null; piece = incoming.read()) last(piece as Buffer)
    if (decoder) decoder.end(isBroken)
    else done('broken')
  }
  const listen = (take: (piece: Buffer) => void, end: () => void): void => {
    arrived = take
    if (isBroken) return broken()
    incoming.on('data', take)
    // Of a body that is not complete there is an error, and no end.
    incoming.on('end', end)
  }
  const takeCoded = async (codings: readonly string[]): Promise<void> => {
    // Loaded by the first body that needs it.
    const zlib = await import('node:zlib')
    if (isOver) return
    const decode = (piece: Buffer): void => {
      progress()
      decoder ??= contentDecoder(zlib, codings, piece, {
        data: take,
        drained: () => incoming.resume(),
        ended: () => done(isBroken ? 'broken' : undefined),
        failed: () => done('broken'),
      })
      if (!decoder.write(piece)) incoming.pause()
    }
    listen(decode, () => {
      if (decoder) decoder.end(isBroken)
      else done()
    })
  }

  incoming.on('error', broken)
  const codings = contentCodings(incoming.headers['content-encoding'])
  if (codings) void takeCoded(codings)
  else {
    listen(
      (piece) => {
        progress()
        take(piece)
      },
      () => done(),
    )
  }
  const end = (): ReturnType<HttpReply['end']> => {
    const all = body?.end() ?? { text: '' }
    body = undefined
    return all
  }
  const destroy = (): void => {
    isOver = true
    decoder?.destroy()
  }
  return { end, broken, destroy }
}
