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
  let isBroken = false

  const take = (piece: Buffer): void => {
    body?.add(piece)
    if (body && body.bytes > maxBodyBytes) done('too_large')
  }
  const broken = (): void => {
    isBroken = true
    // What the parser read in the turn in which it failed.
    let piece: unknown = incoming.read()
    while (piece !== null) piece = incoming.read()
    if (decoder) decoder.end()
    else done('broken')
  }
  const takeCoded = async (codings: readonly string[]): Promise<void> => {
    // Loaded by the first body that needs it.
    const zlib = await import('node:zlib')
    incoming.on('data', (piece: Buffer) => {
      progress()
      decoder ??= contentDecoder(zlib, codings, piece, {
        data: take,
        drained: () => incoming.resume(),
        ended: () => done(isBroken ? 'broken' : undefined),
        failed: () => done('broken'),
      })
      if (!decoder.write(piece)) incoming.pause()
    })
    incoming.on('end', () => {
      if (decoder) decoder.end()
      else done()
    })
  }

  incoming.on('error', broken)
  const codings = contentCodings(incoming.headers['content-encoding'])
  if (codings) void takeCoded(codings)
  else {
    incoming.on('data', (piece: Buffer) => {
      progress()
      take(piece)
    })
    // Of a body that is not complete there is an error, and no end.
    incoming.on('end', () => done())
  }
  const end = (): ReturnType<HttpReply['end']> => {
    const all = body?.end() ?? { text: '' }
    body = undefined
    return all
  }
  return { end, broken, destroy: () => decoder?.destroy() }
}
