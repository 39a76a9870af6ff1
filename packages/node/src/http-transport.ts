import * as http from 'node:http'
import * as https from 'node:https'
import type { ConnectionOptions, SecureContextOptions } from 'node:tls'
import type { Platform, Transport, TransportRequest, TransportResponse } from '@sfstream/core'
import { type CookieJar, checkShape, cookieJar, webPlatform } from '@sfstream/core/internal'
import { acceptedCodings } from './content-decoder.ts'
import { type HttpRequests, httpExchange } from './http-exchange.ts'
import { kept } from './kept-connections.ts'

export interface HttpTransportOptions {
  /** The clock; a client that makes its own transport passes its own. */
  platform?: Partial<Platform> | undefined
  /** TLS of the connections, as `node:tls` takes it; Node's own defaults without it, `NODE_EXTRA_CA_CERTS` among them. */
  tls?: TlsOptions
  /** Makes the connections in place of the transport's own, such as one that goes through a proxy. It stays yours: `close()` leaves it open. */
  agent?: http.Agent | undefined
}

export type TlsOptions = SecureContextOptions & Pick<ConnectionOptions, 'servername' | 'rejectUnauthorized' | 'checkServerIdentity'>

/**
 * Long polling over `node:http` and `node:https`, for a fraction of what Node's `fetch` takes of time and memory. Cookies and
 * connections belong to the transport: one for each client.
 * @throws SfStreamError `bad_option`
 */
export function httpTransport(options: HttpTransportOptions = {}): Transport {
  checkShape('httpTransport()', options, { platform: 'object', tls: 'object', agent: 'object' })
  return new HttpTransport(options)
}

class HttpTransport implements Transport, HttpRequests {
  readonly platform: Platform
  readonly #options: HttpTransportOptions
  readonly #jar: CookieJar
  #plain: http.Agent | undefined
  #secure: https.Agent | undefined
  #target: Target | undefined
  /** How many requests still get a connection of their own, and how many did when last one was lost. */
  #ownLeft = 0
  #own = 0

  constructor(options: HttpTransportOptions) {
    this.#options = options
    this.platform = webPlatform(options.platform)
    this.#jar = cookieJar(this.platform.now)
  }

  exchange(request: TransportRequest): Promise<TransportResponse> {
    return httpExchange(request, this)
  }

  /** Node writes to a kept connection in the next tick, before any promise goes on that waits for a later one. */
  flushed(): Promise<void> {
    return new Promise((resolve) => process.nextTick(resolve))
  }

  reset(): void {
    this.#jar.clear()
  }

  close(): void {
    this.#plain?.destroy()
    this.#secure?.destroy()
  }

  send(request: TransportRequest): http.ClientRequest {
    const { url, body } = request
    // A session keeps its URL.
    if (this.#target?.url !== url) this.#target = targetOf(url)
    const { isSecure, host, port, path } = this.#target
    const cookie = this.#jar.header(url)
    const headers = ['host', url.host, 'user-agent', 'sfstream', 'accept-encoding', acceptedCodings]
    for (const name in request.headers) headers.push(name, request.headers[name] as string)
    if (cookie) headers.push('cookie', cookie)
    const length = Buffer.byteLength(body)
    headers.push('content-length', String(length))
    const options = { method: 'POST', host, port, path, headers, agent: this.#options.agent ?? this.#agent(isSecure) }
    const outgoing = isSecure ? https.request(options) : http.request(options)
    if (this.#ownLeft > 0) {
      this.#ownLeft--
      outgoing.shouldKeepAlive = false
    }
    // Header and body leave in one piece only as one text; as Latin-1, since a cookie goes back byte by byte as it came.
    outgoing.end(length === body.length ? body : Buffer.from(body), 'latin1')
    return outgoing
  }

  answered({ url }: Pick<TransportRequest, 'url'>, { headers }: http.IncomingMessage, { reusedSocket }: http.ClientRequest): void {
    if (reusedSocket) this.#own = 0
    const lines = headers['set-cookie']
    if (lines) this.#jar.store(url, lines, headers.date)
  }

  /**
   * Some servers close after a reply without saying so. Whatever follows at once would be lost, and that is all it takes to resume: so
   * connections are used once for a while, and for longer if the next one that is kept is lost too. [PROTOCOL T6]
   */
  lost({ reusedSocket }: http.ClientRequest): void {
    if (reusedSocket) this.#ownLeft = this.#own = Math.min(2 * this.#own || minOwn, maxOwn)
  }

  #agent(isSecure: boolean): http.Agent {
    if (!isSecure) {
      this.#plain ??= kept(new http.Agent({ keepAlive: true }))
      return this.#plain
    }
    this.#secure ??= kept(new https.Agent({ ...this.#options.tls, keepAlive: true }))
    return this.#secure
  }
}

const minOwn = 16
const maxOwn = 1_024

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
