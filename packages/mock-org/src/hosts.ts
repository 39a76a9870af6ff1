import type { HostRole } from './exchange.ts'

/** The origins this org answers on. */
export interface Hosts {
  /** Where sessions live: the `instance_url` of token replies. */
  instance: string
  login: string
  /** An Experience Cloud site: a door for logins, perhaps under a path of its own. */
  readonly site: string | undefined
  role(origin: string): HostRole | 'gone' | undefined
  /** The org moves: the old instance answers no more. */
  move(newInstance: string): void
  add(origin: string, role: HostRole): void
  /** The address within a site, whose path stands before those of the org; undefined when it is outside. Elsewhere the address itself. */
  within(url: URL): URL | undefined
}

export interface HostNames {
  instance: string
  login: string
  sandbox: string
  site: string | undefined
}

export function hosts({ instance, login, sandbox, site }: HostNames): Hosts {
  const { origin: siteOrigin, pathname } = new URL(site ?? 'none:')
  const sitePath = pathname.replace(/\/$/, '')
  const roles = new Map<string, HostRole | 'gone'>([
    [login, 'login'],
    [sandbox, 'test'],
    [instance, 'instance'],
  ])
  if (site !== undefined) roles.set(siteOrigin, 'site')
  const self: Hosts = {
    instance,
    login,
    site: site === undefined ? undefined : siteOrigin + sitePath,
    role: (origin) => roles.get(origin),
    move(newInstance) {
      const { origin } = new URL(newInstance)
      if (origin !== self.instance) roles.set(self.instance, 'gone')
      roles.set(origin, 'instance')
      self.instance = origin
    },
    add: (origin, role) => void roles.set(origin, role),
    within(url) {
      if (self.role(url.origin) !== 'site') return url
      return url.pathname.startsWith(`${sitePath}/`) ? new URL(url.pathname.slice(sitePath.length) + url.search, url.origin) : undefined
    },
  }
  return self
}
