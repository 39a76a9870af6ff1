import type { HostRole } from './exchange.ts'

/** The origins this org answers on. */
export interface Hosts {
  /** Where sessions live: the `instance_url` of token replies. */
  instance: string
  login: string
  role(origin: string): HostRole | 'gone' | undefined
  /** The org moves: the old instance answers no more. */
  move(newInstance: string): void
  add(origin: string, role: HostRole): void
}

export function hosts(instance: string, login: string, sandbox: string): Hosts {
  const roles = new Map<string, HostRole | 'gone'>([
    [login, 'login'],
    [sandbox, 'test'],
    [instance, 'instance'],
  ])
  const self: Hosts = {
    instance,
    login,
    role: (origin) => roles.get(origin),
    move(newInstance) {
      const { origin } = new URL(newInstance)
      if (origin !== self.instance) roles.set(self.instance, 'gone')
      roles.set(origin, 'instance')
      self.instance = origin
    },
    add: (origin, role) => void roles.set(origin, role),
  }
  return self
}
