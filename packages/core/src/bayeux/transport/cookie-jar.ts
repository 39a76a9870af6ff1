/**
 * A small cookie jar for runtimes whose `fetch` has none. One per client: two clients must never look like one browser.
 * Values are opaque and never re-encoded (they hold `!`, `/`, `+`, `=`).
 */
export interface CookieJar {
  /**
   * Takes the `Set-Cookie` lines of a reply from `url`. What does not fit the host is ignored, never an error. `Expires` is a time
   * by the server's clock; `date` is what that shows (the `Date` header), for machines whose own clock is wrong. [PROTOCOL T4]
   */
  store(url: URL, lines: readonly string[], date?: string | null): void
  /** The `Cookie` header for a request to `url`, or undefined. */
  header(url: URL): string | undefined
  clear(): void
}

interface Cookie {
  name: string
  value: string
  domain: string
  hostOnly: boolean
  path: string
  secure: boolean
  expires: number
}

/** Browsers keep about as many for a domain; an org sets half a dozen. */
const maxCookies = 100
/** What browsers take of name, value and attributes together. */
const maxLineLength = 5_120

export function cookieJar(now: () => number): CookieJar {
  return new ListedCookies(now)
}

class ListedCookies implements CookieJar {
  readonly #now: () => number
  /** The oldest first. */
  #cookies: Cookie[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  store(url: URL, lines: readonly string[], date?: string | null): void {
    const now = this.#now()
    const skewMs = now - (Date.parse(date ?? '') || now)
    for (const line of lines) {
      // A header that no runtime sends would be the end of every request.
      if (line.length > maxLineLength || /\p{Cc}/u.test(line)) continue
      const cookie = parsed(url, line, now, skewMs)
      if (!cookie || !domainMatches(url.hostname, cookie)) continue
      // A cookie for a whole public suffix (`com`) would leak to strangers.
      if (!cookie.hostOnly && !cookie.domain.includes('.') && cookie.domain !== url.hostname) continue
      const isNamesake = ({ name, domain, path }: Cookie): boolean =>
        name === cookie.name && domain === cookie.domain && path === cookie.path
      const old = this.#cookies.findIndex(isNamesake)
      if (cookie.expires <= now) this.#cookies.splice(old, old < 0 ? 0 : 1)
      else if (old < 0) this.#cookies.push(cookie)
      // In the place of its namesake: a server may tell by the order.
      else this.#cookies[old] = cookie
      if (this.#cookies.length > maxCookies) this.#cookies.shift()
    }
  }

  header(url: URL): string | undefined {
    const now = this.#now()
    const pairs: string[] = []
    for (const cookie of this.#cookies) {
      if (cookie.expires <= now) continue
      if (domainMatches(url.hostname, cookie) && pathMatches(url.pathname, cookie.path) && (!cookie.secure || isTrusted(url)))
        pairs.push(`${cookie.name}=${cookie.value}`)
    }
    return pairs.length > 0 ? pairs.join('; ') : undefined
  }

  clear(): void {
    this.#cookies = []
  }
}

function parsed(url: URL, line: string, now: number, skewMs: number): Cookie | undefined {
  const [pair = '', ...attributes] = line.split(';')
  const equals = pair.indexOf('=')
  const name = pair.slice(0, equals).trim()
  if (equals < 1 || !name) return undefined
  const cookie: Cookie = {
    name,
    value: pair.slice(equals + 1).trim(),
    domain: url.hostname,
    hostOnly: true,
    path: url.pathname.slice(0, url.pathname.lastIndexOf('/')) || '/',
    secure: false,
    expires: Number.POSITIVE_INFINITY,
  }
  let maxAge: number | undefined
  for (const attribute of attributes) {
    const split = attribute.indexOf('=')
    const key = (split < 0 ? attribute : attribute.slice(0, split)).trim().toLowerCase()
    const value = split < 0 ? '' : attribute.slice(split + 1).trim()
    if (key === 'domain' && value) {
      cookie.domain = value.replace(/^\./, '').toLowerCase()
      cookie.hostOnly = false
    } else if (key === 'path' && value.startsWith('/')) cookie.path = value
    else if (key === 'secure') cookie.secure = true
    else if (key === 'max-age' && /^-?\d+$/.test(value)) maxAge = Number(value)
    else if (key === 'expires') {
      const at = Date.parse(value)
      if (!Number.isNaN(at)) cookie.expires = at + skewMs
    }
  }
  // Max-Age wins over Expires: RFC 6265, 5.3.
  if (maxAge !== undefined) cookie.expires = maxAge > 0 ? now + maxAge * 1000 : 0
  return cookie
}

function domainMatches(host: string, cookie: Cookie): boolean {
  return host === cookie.domain || (!cookie.hostOnly && host.endsWith(`.${cookie.domain}`) && !isAddress(host))
}

function pathMatches(path: string, cookiePath: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`)
}

function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':')
}

/** Secure cookies also go to loopback, as browsers do: a local org for tests has no TLS. */
function isTrusted(url: URL): boolean {
  return url.protocol === 'https:' || /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname)
}
