import { createServer, type Server, type Socket } from 'node:net'

/** A port that can be closed and opened again. */
export interface Listener {
  readonly port: number
  open(): Promise<void>
  /** Connections are reset, as by a server that dies. */
  close(): Promise<void>
  /** Ends the connections there are; the port stays open. */
  hangUp(): void
}

export async function listener(serve: (socket: Socket) => void): Promise<Listener> {
  const sockets = new Set<Socket>()
  const listen = (at: number): Promise<Server> => {
    const made = createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      serve(socket)
    })
    return new Promise((resolve, reject) => {
      made.once('error', reject)
      made.listen(at, '127.0.0.1', 4_096, () => resolve(made))
    })
  }
  let server = await listen(0)
  const { port } = server.address() as { port: number }
  return {
    port,
    async open() {
      server = await listen(port)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.resetAndDestroy()
      }),
    hangUp() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
