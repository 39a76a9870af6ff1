import type { Transform } from 'node:stream'

/** Undoes the codings of a body, piece by piece. */
export interface ContentDecoder {
  /** False: `drained` is called when there is room for more. */
  write(piece: Buffer): boolean
  /** Nothing follows; what is left in the decoder comes out, then `ended` or `failed` is called. `isBroken`: it ends too early. */
  end(isBroken: boolean): void
  destroy(): void
}

export interface ContentHooks {
  data(piece: Buffer): void
  drained(): void
  ended(): void
  /** The content is damaged, or ends too early. */
  failed(): void
}

/** What can be undone, as `Accept-Encoding` says it. */
export const acceptedCodings = 'gzip, deflate, br'

/** Nobody means more than one; each costs buffers. */
const maxCodings = 3

/** The codings of a body, the last one applied first; undefined where nothing is to be undone, or something unknown. */
export function contentCodings(header: string | undefined): readonly string[] | undefined {
  if (!header) return undefined
  const codings = header
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length === 0 || codings.length > maxCodings) return undefined
  return codings.every((coding) => /^(?:(?:x-)?gzip|deflate|br)$/.test(coding)) ? codings.reverse() : undefined
}

/** `first` is the body's first piece, still to be written. */
export function contentDecoder(
  zlib: typeof import('node:zlib'),
  codings: readonly string[],
  first: Buffer,
  hooks: ContentHooks,
): ContentDecoder {
  // Some servers send deflate without the header that the name means.
  const isRaw = codings[0] === 'deflate' && ((first[0] ?? 0) & 0x0f) !== 8
  const decoders = codings.map((coding, at): Transform => {
    if (coding === 'br') return zlib.createBrotliDecompress()
    if (coding === 'deflate') return isRaw && at === 0 ? zlib.createInflateRaw() : zlib.createInflate()
    return zlib.createGunzip()
  })
  const head = decoders[0] as Transform
  const last = decoders.reduce((from, to) => from.pipe(to))
  head.on('drain', hooks.drained)
  for (const decoder of decoders) decoder.on('error', hooks.failed)
  last.on('data', hooks.data)
  last.on('end', hooks.ended)
  return {
    write: (piece) => head.write(piece),
    end(isBroken) {
      // Where the content has no end, zlib drops all that it has made of its last piece: so that is an empty one.
      if (isBroken) head.write(Buffer.alloc(0), () => head.end())
      else head.end()
    },
    destroy() {
      for (const decoder of decoders) decoder.destroy()
    },
  }
}
