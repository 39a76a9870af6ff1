import type { Rule } from './rule.ts'

/** What keeps logins few, and credentials where they belong. */
export const loginRules: readonly Rule[] = [
  {
    rule: 'R2',
    what: 'a login waits for as long as the login host asks',
    file: 'packages/core/src/bayeux/session/bayeux-source.ts',
    find: "await this.fault('auth', { kind, error }, error.server)",
    replace: "await this.fault('auth', { kind, error })",
    shownBy: { tests: ['packages/core/test/session/logins.test.ts'] },
  },
  {
    rule: 'R1',
    what: 'logins that fail keep apart, however many clients share a provider',
    file: 'packages/auth/src/spaced.ts',
    find: 'if (leftMs > 0) await sleep(leftMs, signal, platform)',
    replace: '',
    shownBy: { tests: ['packages/auth/test/many-clients.test.ts'] },
  },
  {
    rule: 'F4',
    what: 'a new refresh token is kept whatever else the reply holds',
    file: 'packages/auth/src/refresher.ts',
    find: "if (read.kind !== 'refusal') next = read.refreshToken",
    replace: "if (read.kind === 'reply') next = read.refreshToken",
    shownBy: { tests: ['packages/auth/test/rotation.test.ts'] },
  },
  {
    rule: 'F4',
    what: 'a refresh is seen through when its caller has left',
    file: 'packages/auth/src/refresher.ts',
    find: 'const mine = renew(platform).finally(',
    replace: 'const mine = untilAborted(renew(platform), signal).finally(',
    shownBy: { tests: ['packages/auth/test/rotation.test.ts'] },
  },
  {
    rule: 'T3',
    what: 'credentials go to the host of loginUrl, whatever its path',
    file: 'packages/auth/src/login-host.ts',
    find: '  const host = new URL(url.origin)\n  host.pathname = path\n',
    replace: "  const host = new URL(path || '/', url.origin)\n",
    shownBy: { tests: ['packages/auth/test/requests.test.ts'] },
  },
]
