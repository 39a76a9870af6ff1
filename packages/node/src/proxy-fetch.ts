import type { Socket } from 'node:net'
import type { Platform } from '@sfstream/core'
import { StateError } from '@sfstream/core'
import type { Dispatcher } from 'undici'
import { bunProxyFetch } from './bun-proxy-fetch.ts'

export interface ProxyOptions {
  /** The proxy of every request, with credentials where it wants some; false: none, whatever the environment says. */
  proxy?: string | URL | false
  /** Where `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are looked up, lower case first; `process.env` by default. */
  env?: Readonly<Record<string, string | undefined>>
}

/**
 * A `fetch` that goes through a proxy, or undefined where none is configured: the runtime's own serves then, and undici is
 * not loaded. The environment's proxies leave loopback addresses alone, since no proxy can reach this machine's own.
 * Bun's own follows the environment by itself, so `false` is a `fetch` there that does not.
 *
 * @throws StateError `bad_option` for a proxy that is not an http(s) URL.
 */
export function proxyFetch({ proxy, env = process.env }: ProxyOptions = {}): Platform['fetch'] | undefined {
  const isBun = 'bun' in process.versions
  const none = isBun ? bunProxyFetch({}) : undefined
  if (proxy === false) return none
  const variable = (name: string): string | undefined => env[name.toLowerCase()] || env[name] || undefined
  const explicit = proxy === undefined ? undefined : checked('The proxy option', proxy)
  const https = explicit ?? checked('HTTPS_PROXY', variable('HTTPS_PROXY'))
  const http = explicit ?? checked('HTTP_PROXY', variable('HTTP_PROXY'))
  if (!(https || http)) return undefined
  const noProxy = explicit ? '' : (variable('NO_PROXY') ?? '')
  if (noProxy.trim() === '*') return none
  const exempt = explicit ? '' : `${noProxy},localhost,127.0.0.1,[::1]`
  if (isBun) return bunProxyFetch({ http, https: https ?? http, noProxy: exempt })

  /** Of tunnels that are being made: nothing else ends one whose proxy keeps silent, and it would keep the process from ending. */
  let tunnels = new AbortController()
  let waiting = 0
  const load = async (): Promise<Platform['fetch']> => {
    const undici = await import('undici')
    // The client has deadlines of its own, some longer than undici's.
    const limits = {
      headersTimeout: 0,
      bodyTimeout: 0,
      clientFactory: (origin: URL, options: object) => tunnelPool(undici, origin, options, () => tunnels.signal),
    }
    const dispatcher = explicit
      ? new undici.ProxyAgent({ ...limits, uri: explicit.href, ...authorization(explicit) })
      : new undici.EnvHttpProxyAgent({
          ...limits,
          httpProxy: http?.href ?? '',
          httpsProxy: https?.href ?? '',
          noProxy: exempt,
        })
    // undici's own fetch: the one built into Node may be too old for a dispatcher of this version.
    const through = undici.fetch as unknown as (input: string | URL, init: object) => Promise<Response>
    return (input, init) => through(input, { ...init, dispatcher })
  }
  let loaded: Promise<Platform['fetch']> | undefined
  return async (input, init) => {
    loaded ??= load()
    const through = await loaded
    waiting++
    try {
      return await through(input, init)
    } finally {
      waiting--
      if (waiting === 0) {
        tunnels.abort()
        tunnels = new AbortController()
      }
    }
  }
}

/**
 * Connections to the proxy; a tunnel that is being made over one ends with the signal. It counts as made once a byte has come through:
 * for that a TLS handshake would wait for ten seconds.
 */
function tunnelPool({ Pool }: typeof import('undici'), origin: URL, options: object, signal: () => AbortSignal): Dispatcher {
  class TunnelPool extends Pool {
    override async connect(request: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData<null>> {
      const nobodyWaits = signal()
      const tunnel = await super.connect({ ...request, signal: nobodyWaits })
      const { bytesRead } = tunnel.socket as Socket
      const end = (): void => {
        if ((tunnel.socket as Socket).bytesRead === bytesRead) tunnel.socket.destroy()
      }
      if (nobodyWaits.aborted) end()
      nobodyWaits.addEventListener('abort', end)
      tunnel.socket.once('close', () => nobodyWaits.removeEventListener('abort', end))
      return tunnel
    }
  }
  return new TunnelPool(origin, options)
}

/** Credentials without a password count too; undici sends none then. */
function authorization(proxy: URL): { token: string } | Record<string, never> {
  if (!proxy.username) return {}
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  return { token: `Basic ${Buffer.from(pair).toString('base64')}` }
}

/** Never says the value: it may hold a password. */
function checked(name: string, value: string | URL | undefined): URL | undefined {
  if (value === undefined) return undefined
  let url: URL | undefined
  try {
    // `proxy.example:3128` is common in environments, and means http.
    url = new URL(/^[a-z][a-z\d+.-]*:\/\//i.test(String(value)) ? value : `http://${value}`)
    decodeURIComponent(url.username + url.password)
  } catch {
    url = undefined
  }
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new StateError({
    code: 'bad_option',
    message: url ? `${name} names a ${url.protocol.slice(0, -1)} proxy.` : `${name} is not a URL.`,
    remediation: 'Use an HTTP proxy: http://proxy.example:3128, or http://user:password@proxy.example:3128.',
  })
}
