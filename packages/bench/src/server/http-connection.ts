import type { Socket } from 'node:net'
import { monotonicMs } from '../monotonic.ts'

export interface HttpRequest {
  method: string
  path: string
  authorization: string
  body: string
  /** When its last byte was read. */
  receivedAt: number
}

export interface HttpReply {
  status?: number
  headers?: string
  /** Written as they are, one after another. */
  parts: readonly Uint8Array[]
  /** All of it has been handed to the kernel. */
  written?(): void
}

export type Respond = (reply: HttpReply) => void

/**
 * HTTP/1.1 on a bare socket, as much as clients of a long-polling endpoint send: one request after another, with a length or in chunks.
 * It exists because node:http would be a good part of what is measured.
 */
export function serveHttp(socket: Socket, handle: (request: HttpRequest, respond: Respond) => void): void {
  let pending: Buffer = Buffer.alloc(0)
  const respond: Respond = ({ status = 200, headers = '', parts, written }) => {
    if (socket.destroyed) return
    const length = parts.reduce((sum, part) => sum + part.byteLength, 0)
    const head = `HTTP/1.1 ${status} ${status === 200 ? 'OK' : 'Error'}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n${headers}\r\n`
    if (length < 65_536) {
      socket.write(Buffer.concat([Buffer.from(head, 'latin1'), ...parts]), written)
      return
    }
    socket.cork()
    socket.write(head, 'latin1')
    for (const part of parts.slice(0, -1)) socket.write(part)
    socket.write(parts.at(-1)!, written)
    socket.uncork()
  }
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    const receivedAt = monotonicMs()
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    for (let next = takeRequest(pending); next; next = takeRequest(pending)) {
      pending = pending.subarray(next.end)
      handle({ ...next.request, receivedAt }, respond)
    }
  })
}

function takeRequest(bytes: Buffer): { request: Omit<HttpRequest, 'receivedAt'>; end: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = bytes.toString('latin1', 0, headEnd)
  const [method = '', path = ''] = head.slice(0, head.indexOf('\r\n')).split(' ')
  const bodyAt = headEnd + 4
  const request = { method, path, authorization: /\r\nauthorization: *([^\r]*)/i.exec(head)?.[1] ?? '' }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const body = takeChunks(bytes, bodyAt)
    return body && { request: { ...request, body: body.text }, end: body.end }
  }
  const end = bodyAt + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
  return bytes.length < end ? undefined : { request: { ...request, body: bytes.toString('utf8', bodyAt, end) }, end }
}

function takeChunks(bytes: Buffer, at: number): { text: string; end: number } | undefined {
  const chunks: Buffer[] = []
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size + 2
    if (bytes.length < end) return undefined
    if (size === 0) return { text: Buffer.concat(chunks).toString(), end }
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = end
  }
}
