import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGzip } from 'node:zlib'
import { createMockOrg, type MockOrg, type MockOrgOptions } from './mock-org.ts'

export interface MockOrgServerOptions extends Omit<MockOrgOptions, 'instanceUrl' | 'loginUrl'> {
  /** Default 127.0.0.1: nobody else on the network reaches it. */
  host?: string
  /** Default 0: any free one. */
  port?: number
  /** The login host's port. Default 0: any free one. */
  loginPort?: number
}

export interface MockOrgServer {
  /** The instance: CometD, REST, and logins, as a My Domain. */
  readonly url: string
  /** The login host, which has no CometD and no client credentials. */
  readonly loginUrl: string
  readonly org: MockOrg
  /** Breaks every connection and stops listening. */
  close(): Promise<void>
}

/**
 * The org as an HTTP server. Plain `node:http`: faults break the socket before, amid and after a body, and no adapter
 * between gives the socket away.
 */
export async function startMockOrgServer(options: MockOrgServerOptions = {}): Promise<MockOrgServer> {
  const { host = '127.0.0.1', port = 0, loginPort = 0, ...rest } = options
  let org: MockOrg | undefined
  const handler = (own: () => string) => (request: IncomingMessage, response: ServerResponse) => {
    if (org) void answer(org, own(), request, response)
    else response.destroy()
  }
  let url = ''
  let loginUrl = ''
  const instance = await listen(
    host,
    port,
    handler(() => url),
  )
  const login = await listen(
    host,
    loginPort,
    handler(() => loginUrl),
  ).catch(async (error: unknown) => {
    await closed(instance)
    throw error
  })
  url = origin(host, instance)
  loginUrl = origin(host, login)
  // The same server under another name: where the org is found after a migration.
  const moved = `http://localhost:${(instance.address() as AddressInfo).port}`
  org = createMockOrg({ migrationUrl: moved, ...rest, instanceUrl: url, loginUrl })
  return {
    url,
    loginUrl,
    org,
    async close() {
      org?.faults.cutConnections()
      await Promise.all([closed(instance), closed(login)])
    },
  }
}

function listen(host: string, port: number, handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(handler)
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

function origin(host: string, server: Server): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${(server.address() as AddressInfo).port}`
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function answer(org: MockOrg, own: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort(new Error('the client closed the connection')))
  try {
    const named = `http://${request.headers.host}`
    const url = new URL(request.url ?? '/', org.serves(named) ? named : own)
    const method = request.method ?? 'GET'
    const body = await readBody(request)
    const headers = new Headers()
    for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers.set(name, [value].flat().join(', '))
    const withBody = method === 'GET' || method === 'HEAD' ? {} : { body }
    const reply = await org.fetch(url, { method, headers, ...withBody, signal: gone.signal })
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
