import type { EventStream, Outlet } from './event-stream.ts'

/** A stream that is ready to be written somewhere. */
export interface StreamReply {
  headers: Record<string, string>
  open(out: Outlet): EventStream
}

/** The stream as the body of a Response. */
export function webReply({ headers, open }: StreamReply): Response {
  let stream: EventStream | undefined
  let pulled = (): void => {}
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        stream = open({
          write(chunk) {
            controller.enqueue(chunk)
            pulled()
            return false
          },
          end() {
            controller.close()
            pulled()
          },
        })
      },
      // Settles with the next chunk: until then the runtime asks for no other.
      pull: () =>
        new Promise<void>((resolve) => {
          pulled = resolve
          stream?.pull()
        }),
      cancel() {
        pulled()
        stream?.leave()
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers })
}

/** The part of Node's `IncomingMessage` that is used. */
export interface NodeRequest {
  method?: string | undefined
  url?: string | undefined
  headers: Record<string, string | readonly string[] | undefined>
}

/** The part of Node's `Writable` that is used. */
export interface NodeWritable {
  write(chunk: Uint8Array): boolean
  on(event: 'drain' | 'close', listener: () => void): unknown
  removeListener(event: 'drain', listener: () => void): unknown
}

/** The part of Node's `ServerResponse` that is used. */
export interface NodeResponse extends NodeWritable {
  readonly socket: NodeWritable | null
  /** Of HTTP/2 alone. */
  readonly stream?: unknown
  removeHeader(name: string): void
  writeHead(status: number, headers: Record<string, string | string[]>): unknown
  flushHeaders(): void
  destroy(): unknown
  end(body?: Uint8Array): unknown
}

/** Undefined for what is none: Node's server hands on whatever a stranger sends, TRACE and `//` too. */
export function requestOf(request: NodeRequest, signal: AbortSignal): Request | undefined {
  try {
    return made(request, signal)
  } catch {
    return undefined
  }
}

function made({ method = 'GET', url = '/', headers }: NodeRequest, signal: AbortSignal): Request {
  const own = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    // HTTP/2 has pseudo-headers.
    if (value !== undefined && !name.startsWith(':')) own.set(name, typeof value === 'string' ? value : value.join(', '))
  }
  const host = headers.host ?? headers[':authority'] ?? 'localhost'
  return new Request(new URL(url, `http://${String(host)}`), { method, headers: own, signal })
}

export async function nodeResponse(answered: Response, response: NodeResponse): Promise<void> {
  const cookies = answered.headers.getSetCookie()
  const headers = Object.fromEntries(answered.headers)
  response.writeHead(answered.status, cookies.length > 0 ? { ...headers, 'set-cookie': cookies } : headers)
  response.end(new Uint8Array(await answered.arrayBuffer()))
}

/** The stream as a reply of Node's HTTP server: written where it is made, without a promise in between. */
export function nodeReply({ headers, open }: StreamReply, response: NodeResponse): void {
  // Over HTTP/1 unframed, the connection's end being the stream's, and to the socket: a reply gathers what is written to it until the
  // turn is over, so that with hundreds of readers even the first would wait for the last.
  const isFramed = response.stream !== undefined || !response.socket
  if (!isFramed) response.removeHeader('transfer-encoding')
  response.writeHead(200, headers)
  response.flushHeaders()
  const out = isFramed ? response : (response.socket as NodeWritable)
  const stream = open({
    write: (chunk) => out.write(chunk),
    // An end would wait for one who does not read, uncounted, for as long as they like.
    end: (isStalled) => void (isStalled ? response.destroy() : response.end()),
  })
  const pull = (): void => stream.pull()
  out.on('drain', pull)
  response.on('close', () => {
    out.removeListener('drain', pull)
    stream.leave()
  })
  stream.pull()
}
