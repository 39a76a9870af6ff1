import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'

/** What befalls one connection. Counts are bytes since it began; without any it lasts. */
export interface Mishap {
  /** It ends after so many bytes of the client's, or of the server's. */
  up?: number | undefined
  down?: number | undefined
  how: 'reset' | 'close' | 'half-close' | 'close-late'
  /** The server's bytes arrive in pieces of this size. */
  pieces?: number | undefined
}

export interface Middlebox {
  readonly url: string
  /** Connections so far, and those that the client has not closed. */
  readonly connections: number
  readonly open: number
  close(): Promise<void>
}

/** Forwards connections to a port on loopback, and has one mishap after another befall them; when none is left, all is well. */
export async function middlebox(port: number, mishaps: readonly (Mishap | undefined)[], changed: () => void): Promise<Middlebox> {
  const sockets = new Set<Socket>()
  let connections = 0
  let open = 0
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    open++
    near.on('close', () => {
      open--
      far.destroy()
      changed()
    })
    far.on('close', () => near.destroySoon())
    forward(near, far, mishaps[connections++])
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    },
    get open() {
      return open
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

const unlimited = Number.POSITIVE_INFINITY

function forward(near: Socket, far: Socket, mishap: Mishap | undefined): void {
  const { up = unlimited, down = unlimited, pieces = unlimited, how } = mishap ?? {}
  let upLeft = up
  let downLeft = down
  let isOver = false
  const strike = (): void => {
    if (isOver) return
    isOver = true
    if (how === 'reset') near.resetAndDestroy()
    else if (how === 'half-close') near.end()
    else if (how === 'close-late') setTimeout(() => near.destroySoon(), 3)
    else near.destroySoon()
    far.destroy()
  }
  if (upLeft === 0 || downLeft === 0) strike()
  near.on('data', (piece: Buffer) => {
    if (isOver) return
    const taken = piece.subarray(0, upLeft)
    upLeft -= taken.length
    far.write(taken, () => upLeft === 0 && setImmediate(strike))
  })
  near.on('end', () => far.end())

  let queued = Buffer.alloc(0)
  let isWriting = false
  const flush = (): void => {
    if (isWriting || queued.length === 0 || near.destroyed) return
    isWriting = true
    const piece = queued.subarray(0, pieces)
    queued = queued.subarray(piece.length)
    near.write(piece, () =>
      setImmediate(() => {
        isWriting = false
        if (queued.length === 0 && downLeft === 0) strike()
        else flush()
      }),
    )
  }
  far.on('data', (piece: Buffer) => {
    if (isOver) return
    const taken = piece.subarray(0, downLeft)
    downLeft -= taken.length
    queued = Buffer.concat([queued, taken])
    flush()
  })
  far.on('end', () => near.end())
}
