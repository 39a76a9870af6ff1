import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from 'node:net'

export interface TestProxy {
  url: string
  /** `CONNECT host:port` and `GET http://…` lines, in order. */
  lines: string[]
  authorizations: Set<string | undefined>
  close(): Promise<void>
}

/** A forward proxy with CONNECT. `route` says where a host really is; `password` asks for credentials, like a company's proxy. */
export async function startProxy({ route, credentials }: { route?: number; credentials?: string } = {}): Promise<TestProxy> {
  const sockets = new Set<Socket>()
  const lines: string[] = []
  const authorizations = new Set<string | undefined>()
  const admitted = (incoming: IncomingMessage): boolean => {
    const header = incoming.headers['proxy-authorization']
    lines.push(`${incoming.method} ${incoming.url}`)
    authorizations.add(header)
    return !credentials || header === `Basic ${Buffer.from(credentials).toString('base64')}`
  }
  const server: Server = createServer((incoming, outgoing) => {
    if (!admitted(incoming)) {
      outgoing.writeHead(407).end()
      return
    }
    const target = new URL(incoming.url ?? '')
    const through = request(
      { host: '127.0.0.1', port: route ?? target.port, path: target.pathname, method: incoming.method, headers: incoming.headers },
      (reply) => {
        outgoing.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(outgoing)
      },
    )
    incoming.pipe(through)
  })
  server.on('connect', (incoming: IncomingMessage, socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    if (!admitted(incoming)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    const port = route ?? Number(incoming.url?.split(':').at(-1))
    const upstream = connect(port, '127.0.0.1', () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'))
    sockets.add(upstream)
    upstream.on('error', () => socket.destroy())
    socket.on('close', () => upstream.destroy())
    upstream.on('close', () => socket.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lines,
    authorizations,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

export interface SilentProxy {
  url: string
  /** Connections over which a tunnel was asked for. */
  tunnels: Socket[]
  /** Resolves once it holds; looked at whenever a connection changes. */
  until(condition: () => boolean): Promise<void>
  close(): Promise<void>
}

/** Takes whatever it is sent, and never answers; `opens`: but that tunnels are open, which lead nowhere. */
export async function startSilentProxy({ opens = false } = {}): Promise<SilentProxy> {
  const tunnels: Socket[] = []
  const sockets = new Set<Socket>()
  const looks = new Set<() => void>()
  const changed = (): void => {
    for (const look of looks) look()
  }
  const server = createSocketServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', changed)
    socket.once('data', (line) => {
      if (String(line).startsWith('CONNECT ')) tunnels.push(socket)
      if (opens) socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      if (opens) socket.once('data', changed)
      changed()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels,
    until: (condition) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!condition()) return
          looks.delete(look)
          resolve()
        }
        looks.add(look)
        look()
      }),
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
