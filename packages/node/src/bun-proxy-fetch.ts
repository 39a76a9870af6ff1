import type { Platform } from '@sfstream/core'

export interface BunProxies {
  /** Of http requests; none by default. */
  http?: URL | undefined
  /** Of https requests; none by default. */
  https?: URL | undefined
  /** Hosts that are reached without one, as in `NO_PROXY`. */
  noProxy?: string
}

/**
 * A `fetch` with proxies for Bun. The undici that Bun puts in the place of undici has agents that do nothing; its own `fetch` takes
 * the proxy of each request, where `false` is none: with no word of it, it would follow the environment, for loopback addresses too.
 */
export function bunProxyFetch({ http, https, noProxy = '' }: BunProxies): Platform['fetch'] {
  const exempt = noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [, host = entry, port] = /^(.+):(\d+)$/.exec(entry) ?? []
      return { host: host.replace(/^\*?\./, ''), port }
    })
  const isExempt = ({ hostname, port, protocol }: URL): boolean =>
    exempt.some(
      (entry) =>
        (entry.port === undefined || entry.port === (port || (protocol === 'https:' ? '443' : '80'))) &&
        (entry.host === '*' || `.${hostname}`.endsWith(`.${entry.host}`)),
    )
  return async (input, init) => {
    const url = new URL(input)
    const proxy = isExempt(url) ? undefined : url.protocol === 'https:' ? https : http
    const response = await fetch(input, { ...init, proxy: proxy?.href ?? false } as RequestInit)
    if (!proxy || response.status !== 407) return response
    // undici throws here, and what asks a proxy is tried again. As a reply it would count as the org's own, and end the client.
    response.body?.cancel().catch(() => {})
    throw new TypeError('The proxy wants other credentials (407)')
  }
}
