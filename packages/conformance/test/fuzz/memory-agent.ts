import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import type { Platform } from '@sfstream/core'

/** Of headers in all, node:http takes 16 KB. */
const maxCookieBytes = 12_000

/**
 * node:http from end to end without a network: requests of this agent reach `fetch`, and what it answers goes back through the same
 * parsers as over a socket. Pipes in memory, so that a virtual clock sees all of it settle.
 */
export function memoryAgent(fetch: Platform['fetch'], origin: string): Agent {
  const server = createServer((request, response) => void serve(fetch, origin, request, response))
  const agent = new Agent({ keepAlive: true })
  return Object.assign(agent, {
    protocol: new URL(origin).protocol,
    createConnection() {
      const [near, far] = pipes()
      server.emit('connection', far)
      return near
    },
  })
}

async function serve(fetch: Platform['fetch'], origin: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  // The time of this machine is not that of the org.
  response.sendDate = false
  response.on('close', () => gone.abort(new Error('the client is gone')))
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  try {
    const { method = '', url = '', headers } = request
    // What a header holds once only; all of ours do.
    const answer = await fetch(`${origin}${url}`, {
      method,
      headers: headers as Record<string, string>,
      ...(parts.length > 0 && { body: Buffer.concat(parts).toString() }),
      signal: gone.signal,
    })
    for (const [name, value] of answer.headers) if (name !== 'set-cookie' && isSendable(value)) response.setHeader(name, value)
    let left = maxCookieBytes
    const cookies = answer.headers.getSetCookie().filter((line) => {
      left -= line.length
      return isSendable(line) && left > 0
    })
    if (cookies.length > 0) response.setHeader('set-cookie', cookies)
    response.writeHead(answer.status)
    await pump(answer, response, gone.signal)
    response.end()
  } catch {
    response.destroy()
  }
}

/** What no server can send with node:http, no client has to take. */
function isSendable(value: string): boolean {
  return !/[^\t\x20-\x7e\x80-\xff]/.test(value)
}

async function pump({ body }: Response, response: ServerResponse, gone: AbortSignal): Promise<void> {
  const reader = body?.getReader()
  if (!reader) return
  response.flushHeaders()
  gone.addEventListener('abort', () => void reader.cancel().catch(() => {}))
  for (let next = await reader.read(); !next.done && !gone.aborted; next = await reader.read()) {
    const isDrained = response.write(next.value)
    if (!isDrained && !gone.aborted) await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve))
  }
}

/** Two ends of one connection, which close together. */
function pipes(): [Duplex, Duplex] {
  const ends: Duplex[] = []
  const make = (other: () => Duplex): Duplex => {
    let wanted = (): void => {}
    const end = new Duplex({
      read: () => wanted(),
      write(piece, _encoding, done) {
        const peer = other()
        if (peer.destroyed) return done()
        if (peer.push(piece)) return done()
        ;(peer as Duplex & { onWanted(then: () => void): void }).onWanted(done)
      },
      final(done) {
        other().push(null)
        done()
      },
      destroy(error, done) {
        process.nextTick(() => other().destroy())
        done(error)
      },
    })
    const settled = (): typeof end => end
    return Object.assign(end, {
      onWanted(then: () => void) {
        wanted = () => {
          wanted = () => {}
          then()
        }
      },
      setKeepAlive: settled,
      setNoDelay: settled,
      setTimeout: settled,
      ref: settled,
      unref: settled,
    })
  }
  ends.push(
    make(() => ends[1] as Duplex),
    make(() => ends[0] as Duplex),
  )
  return ends as [Duplex, Duplex]
}
