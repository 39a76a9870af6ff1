import type { CookieCarrier } from './serve.ts'

/** The cookies of one browser: what a page's own fetch would keep and send, and nothing a page could read. */
export function browserProfile(now: () => number): CookieCarrier {
  const jar = new Map<string, { pair: string; path: string; expires: number }>()
  return {
    read(url) {
      const sent = [...jar.values()].filter(({ path, expires }) => url.pathname.startsWith(path) && expires > now())
      return sent.map(({ pair }) => pair).join('; ')
    },
    write(url, lines) {
      for (const line of lines) {
        const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
        const attribute = (name: string): string | undefined =>
          attributes.find((one) => one.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1)
        const domain = attribute('domain')
        if (domain !== undefined && !`.${url.hostname}`.endsWith(domain)) continue
        const name = pair.slice(0, pair.indexOf('='))
        const path = attribute('path') ?? '/'
        const maxAge = attribute('max-age')
        const expires =
          maxAge === undefined ? Date.parse(attribute('expires') ?? '') || Number.POSITIVE_INFINITY : now() + Number(maxAge) * 1_000
        jar.set(`${name};${domain};${path}`, { pair, path, expires })
      }
    },
  }
}
