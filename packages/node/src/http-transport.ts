import * as http from 'node:http'
import * as https from 'node:https'
import type { ConnectionOptions, SecureContextOptions } from 'node:tls'
import type { Platform, Transport, TransportRequest } from '@sfstream/core'
import { cookieJar, webPlatform } from '@sfstream/core/internal'
import { acceptedCodings } from './content-decoder.ts'
import { httpExchange } from './http-exchange.ts'

export interface HttpTransportOptions {
  /** The clock; a client that makes its own transport passes its own. */
  platform?: Partial<Platform> | undefined
  /** TLS of the connections, as `node:tls` takes it; Node's own defaults without it, `NODE_EXTRA_CA_CERTS` among them. */
  tls?: TlsOptions
  /** Makes the connections in place of the transport's own, such as one that goes through a proxy. It stays yours: `close()` leaves it open. */
  agent?: http.Agent | undefined
}

export type TlsOptions = SecureContextOptions & Pick<ConnectionOptions, 'servername' | 'rejectUnauthorized' | 'checkServerIdentity'>

const agentOptions: http.AgentOptions = {
  keepAlive: true,
  // As Node's fetch has it. By Node's own default of a second, each held poll would be a packet a second.
  keepAliveMsecs: 60_000,
  // A poll, a request beside it and a goodbye; and one whose connection is just being closed. More is a fault, and waits.
  maxSockets: 4,
  // One for polls, one for what goes beside them.
  maxFreeSockets: 2,
  // An idle connection is closed before servers and networks forget it, which would be seen only when a request is lost on it. As fetch does.
  timeout: 4_000,
}

/**
 * Long polling over `node:http` and `node:https`, for a fraction of what Node's `fetch` takes of time and memory. Cookies and
 * connections belong to the transport: one for each client.
 */
export function httpTransport({ platform: ports, tls, agent }: HttpTransportOptions = {}): Transport {
  const platform = webPlatform(ports)
  const jar = cookieJar(platform.now)
  let plain: http.Agent | undefined
  let secure: https.Agent | undefined
  const plainAgent = (): http.Agent => {
    plain ??= new http.Agent(agentOptions)
    return plain
  }
  const secureAgent = (): https.Agent => {
    secure ??= new https.Agent({ ...tls, ...agentOptions })
    return secure
  }
  let target = targetOf(new URL('http://unknown.invalid/'))

  const send = (request: TransportRequest): http.ClientRequest => {
    const { url, body } = request
    // A session keeps its URL.
    if (target.url !== url) target = targetOf(url)
    const cookie = jar.header(url)
    const headers = ['host', url.host, 'user-agent', 'sfstream', 'accept-encoding', acceptedCodings]
    for (const name in request.headers) headers.push(name, request.headers[name] as string)
    if (cookie) headers.push('cookie', cookie)
    const length = Buffer.byteLength(body)
    headers.push('content-length', String(length))
    const { host, port, path } = target
    const options = { method: 'POST', host, port, path, headers, agent: agent ?? (target.isSecure ? secureAgent() : plainAgent()) }
    const outgoing = target.isSecure ? https.request(options) : http.request(options)
    // Header and body leave in one piece only as one text; as Latin-1, since a cookie goes back byte by byte as it came.
    outgoing.end(length === body.length ? body : Buffer.from(body), 'latin1')
    return outgoing
  }

  return {
    exchange: (request) =>
      httpExchange({
        request,
        platform,
        send: () => send(request),
        answered({ headers }) {
          const lines = headers['set-cookie']
          if (lines) jar.store(request.url, lines, headers.date)
        },
      }),
    // Node writes to a kept connection in the next tick, before any promise goes on that waits for a later one.
    flushed: () => new Promise((resolve) => process.nextTick(resolve)),
    reset: () => jar.clear(),
    close() {
      plain?.destroy()
      secure?.destroy()
    },
  }
}

interface Target {
  url: URL
  isSecure: boolean
  host: string
  port: string
  path: string
}

function targetOf(url: URL): Target {
  const isSecure = url.protocol === 'https:'
  return {
    url,
    isSecure,
    // Without the brackets of an IPv6 address.
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port || (isSecure ? '443' : '80'),
    path: url.pathname + url.search,
  }
}
