import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Passes TCP connections on to a server, and can be down while that server lives: a restart that keeps the org's log. */
export interface Relay {
  readonly url: string
  /** Connections open now. */
  readonly connections: number
  /** Resets every connection. */
  cut(): void
  /** Resets every connection and listens no more. */
  down(): Promise<void>
  /** Listens again, on the same port. */
  up(): Promise<void>
}

const host = '127.0.0.1'

export async function startRelay(target: string): Promise<Relay> {
  const targetPort = Number(new URL(target).port)
  const fronts = new Set<Socket>()
  let server: Server | undefined
  let port = 0

  function pass(front: Socket): void {
    const back = connect(targetPort, host)
    fronts.add(front)
    front.pipe(back)
    back.pipe(front)
    front.on('error', () => back.destroy())
    front.on('close', () => {
      fronts.delete(front)
      back.destroy()
    })
    // A reset stays a reset.
    back.on('error', () => front.resetAndDestroy())
    back.on('close', () => front.destroySoon())
  }

  const relay: Relay = {
    get url() {
      return `http://${host}:${port}`
    },
    get connections() {
      return fronts.size
    },
    cut() {
      for (const front of fronts) front.resetAndDestroy()
    },
    async down() {
      const closing = server
      if (!closing) return
      server = undefined
      const closed = once(closing, 'close')
      closing.close()
      relay.cut()
      await closed
    },
    async up() {
      if (server) return
      server = createServer(pass)
      server.listen(port, host)
      await once(server, 'listening')
      port = (server.address() as AddressInfo).port
    },
  }
  await relay.up()
  return relay
}
