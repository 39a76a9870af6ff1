import type { Rule } from './rule.ts'

const transport = 'packages/core/src/bayeux/transport/fetch-transport.ts'
const jar = 'packages/core/src/bayeux/transport/cookie-jar.ts'

/** What the network may not do to a client. */
export const transportRules: readonly Rule[] = [
  {
    rule: 'T1',
    what: 'a request that is not answered in time fails',
    file: 'packages/core/src/bayeux/transport/watchdog.ts',
    find: '  look()\n  return {',
    replace: '  return {',
    shownBy: { tests: ['packages/core/test/python-peers/connect.test.ts'], simulation: true },
  },
  {
    rule: 'T1',
    what: 'timers that run once a minute are no sleep',
    file: 'packages/core/src/bayeux/transport/watchdog.ts',
    find: 'const sleptMs = 75_000',
    replace: 'const sleptMs = 30_000',
    shownBy: { tests: ['packages/core/test/transport/watchdog.test.ts'] },
  },
  {
    rule: 'T1',
    what: 'a sleep ends the request under way',
    file: 'packages/core/src/bayeux/transport/watchdog.ts',
    find: 'if (ms > waitMs + sleptMs) expire',
    replace: 'if (ms > Number.POSITIVE_INFINITY) expire',
    shownBy: { tests: ['packages/core/test/transport/watchdog.test.ts'] },
  },
  {
    rule: 'T2',
    what: 'a body is read up to 64 MB',
    file: transport,
    find: 'const maxBodyBytes = 64 * 1024 * 1024',
    replace: 'const maxBodyBytes = Number.POSITIVE_INFINITY',
    shownBy: { tests: ['packages/core/test/transport/safe-requests.test.ts'] },
  },
  {
    rule: 'T2',
    what: 'a reply that broke off is not taken for a whole one',
    file: 'packages/core/src/bayeux/session/conversation.ts',
    find: 'whole(extended(decodeBroken(response.text)), false, response)',
    replace: 'whole(extended(decodeBroken(response.text)), true, response)',
    shownBy: { simulation: true },
  },
  {
    rule: 'T3',
    what: 'redirects are not followed',
    file: transport,
    find: "redirect: 'manual'",
    replace: "redirect: 'follow'",
    shownBy: { tests: ['packages/core/test/transport/safe-requests.test.ts'] },
  },
  {
    rule: 'T4',
    what: 'a cookie of the same name replaces the old one',
    file: jar,
    find: 'const key = `',
    replace: 'const key = line + `',
    shownBy: { tests: ['packages/core/test/python-peers/handshake.test.ts'] },
  },
  {
    rule: 'T4',
    what: 'an expired cookie is cleared',
    file: jar,
    find: '        if (cookie.expires <= now()) cookies.delete(key)\n        else cookies.set(key, cookie)\n',
    replace: '        cookie.expires = Number.POSITIVE_INFINITY\n        cookies.set(key, cookie)\n',
    shownBy: { tests: ['packages/core/test/python-peers/handshake.test.ts'] },
  },
  {
    rule: 'T4',
    what: 'cookies of foreign domains are ignored',
    file: jar,
    find: 'if (!cookie || !domainMatches(url.hostname, cookie)) continue',
    replace: 'if (!cookie) continue\n        cookie.domain = url.hostname',
    shownBy: { tests: ['packages/core/test/transport/safe-requests.test.ts', 'packages/core/test/python-peers/handshake.test.ts'] },
  },
  {
    rule: 'T4',
    what: 'cookies of failed replies count',
    file: transport,
    find: 'jar?.store(request.url, ',
    replace: 'if (response.ok) jar?.store(request.url, ',
    shownBy: { tests: ['packages/core/test/transport/safe-requests.test.ts'] },
  },
]
