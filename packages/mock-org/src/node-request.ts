import type { IncomingMessage, ServerResponse } from 'node:http'
import { createGzip } from 'node:zlib'
import type { MockOrg } from './mock-org.ts'

/**
 * Answers one request of a `node:http` server of your own as the org. `own` is the server's origin, for requests whose `Host` is
 * none of the org's.
 */
export async function answerNodeRequest(org: MockOrg, own: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort(new Error('the client closed the connection')))
  try {
    const named = `http://${request.headers.host}`
    const base = org.serves(named) ? named : own
    // `//` would be read as the start of another host's name.
    const url = new URL(request.url?.startsWith('//') ? base + request.url : (request.url ?? '/'), base)
    const method = request.method ?? 'GET'
    const body = await readBody(request)
    const headers = new Headers()
    for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers.set(name, [value].flat().join(', '))
    const withBody = method === 'GET' || method === 'HEAD' ? {} : { body }
    // A redirect is for the client to follow: the authorize endpoint answers with one.
    const reply = await org.fetch(url, { method, headers, ...withBody, redirect: 'manual', signal: gone.signal })
    await write(org, reply, request, response)
  } catch {
    // A network error of the org's is one for the client: the peer sees a reset.
    if (!response.headersSent && request.socket.readyState === 'open') request.socket.resetAndDestroy()
    else response.destroy()
  }
}

/** Far above what any request of a client may weigh. */
const bodyCap = 16_000_000

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyCap) throw new Error('request body too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function write(org: MockOrg, reply: Response, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of reply.headers) if (name !== 'set-cookie') headers[name] = value
  const cookies = reply.headers.getSetCookie()
  if (cookies.length > 0) headers['set-cookie'] = cookies
  const zipped = org.switches.gzip && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  if (zipped) headers['content-encoding'] = 'gzip'
  const sink = zipped ? createGzip() : response
  if (zipped) sink.pipe(response)
  response.writeHead(reply.status, headers)
  response.flushHeaders()
  const reader = reply.body?.getReader()
  while (reader) {
    const { done, value } = await reader.read()
    if (done) break
    // Waits until the bytes have left, so that a break afterwards comes after them.
    await new Promise<void>((resolve, reject) => sink.write(value, (error) => (error ? reject(error) : resolve())))
  }
  sink.end()
}
