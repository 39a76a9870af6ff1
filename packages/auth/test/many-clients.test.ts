import { clientCredentials, deviceFlow, password, refreshToken, soapLogin } from '@sfstream/auth'
import { type AuthProvider, createClient, type Platform } from '@sfstream/core'
import { virtualClock } from '@sfstream/mock-org'
import { expect, test } from 'vitest'
import { flows } from './flows.ts'
import { context, failure, refusal, scriptedPlatform, tokenReply } from './scripted-platform.ts'

const loginUrl = 'https://acme.my.salesforce.com'
const named = { loginUrl, clientId: 'id', clientSecret: 'secret', username: 'amy@acme.com', password: 'word' }
const session = () => tokenReply('00Dxx!t')
const soapSession = () =>
  new Response(
    `<E:Envelope><E:Body><loginResponse><result><serverUrl>${loginUrl}/x</serverUrl><sessionId>00Dxx!t</sessionId></result></loginResponse></E:Body></E:Envelope>`,
  )

const shared: [string, () => AuthProvider, () => Response][] = [
  ['clientCredentials', () => clientCredentials(named), session],
  ['password', () => password(named), session],
  ['soapLogin', () => soapLogin(named), soapSession],
  ['refreshToken', () => refreshToken({ ...named, refreshToken: 'token' }), session],
  ['deviceFlow', () => deviceFlow({ ...named, refreshToken: 'token', onCode: () => {} }), session],
]

test.each(shared)(
  '%s: two hundred clients that share it make few logins while the host is down, and all have a session soon after',
  async (_, make, good) => {
    const clock = virtualClock()
    let down = true
    let logins = 0
    let handshakes = 0
    const platform: Platform = {
      now: clock.now,
      delay: clock.delay,
      random: clock.random,
      fetch: (input, init) =>
        new Promise((resolve, reject) => {
          if (new URL(input).pathname.startsWith('/cometd')) {
            handshakes++
            init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
            return
          }
          logins++
          clock.delay(() => resolve(down ? refusal('server_error', 'later', 503) : good()), 100)
        }),
    }
    const auth = make()
    const clients = Array.from({ length: 200 }, () => createClient({ auth, platform, replayStore: null }))
    for (const client of clients) client.start().catch(() => {})
    await clock.advance(3_600_000)
    // A few at once, some at growing distances, then one a minute.
    expect(logins).toBeLessThan(75)
    down = false
    logins = 0
    const before = handshakes
    // The longest delay of a client, and the longest gap.
    await clock.advance(300_000 + 60_000 + 1_000)
    expect(logins).toBe(1)
    expect(handshakes - before).toBeGreaterThanOrEqual(200)
    const stopped = Promise.all(clients.map((client) => client.stop()))
    await clock.advance(10_000)
    await stopped
    expect(clock.pending).toBe(0)
  },
)

test.each(flows)(
  '$name: from the fifth failure in a row a login waits, however it is asked for; one that works ends that',
  async ({ make }) => {
    let down = true
    const scripted = scriptedPlatform(() => (down ? refusal('server_error', 'later', 503) : tokenReply('t1')))
    const auth = make()
    for (let failures = 0; failures < 5; failures++) await failure(auth.getSession(context(scripted)))
    expect(scripted.seen).toHaveLength(5)
    for (const gapMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
      const asked = scripted.seen.length
      const next = failure(auth.getSession(context(scripted)))
      await new Promise((resolve) => setImmediate(resolve))
      scripted.elapse(gapMs - 1)
      await new Promise((resolve) => setImmediate(resolve))
      expect([scripted.seen.length, scripted.timers()]).toEqual([asked, 1])
      scripted.elapse(1)
      expect(await next).toMatchObject({ code: 'login_unavailable' })
    }
    const leaving = new AbortController()
    const left = failure(auth.getSession({ signal: leaving.signal, platform: scripted.platform }))
    await new Promise((resolve) => setImmediate(resolve))
    leaving.abort(new Error('enough'))
    expect(await left).toMatchObject({ message: 'enough' })
    expect(scripted.timers()).toBe(0)
    // A clock that was set back by days makes no gap longer.
    scripted.elapse(-5 * 86_400_000)
    down = false
    const works = auth.getSession(context(scripted))
    await new Promise((resolve) => setImmediate(resolve))
    scripted.elapse(60_000)
    const rejected = await works
    down = true
    const asked = scripted.seen.length
    await failure(auth.getSession({ ...context(scripted), rejected }))
    await failure(auth.getSession(context(scripted)))
    expect(scripted.seen).toHaveLength(asked + 2)
  },
)
