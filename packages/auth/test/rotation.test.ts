import { getEventListeners } from 'node:events'
import { authorizationCode, deviceFlow, refreshToken } from '@sfstream/auth'
import { type AuthProvider, createClient, type OrgSession, type Platform } from '@sfstream/core'
import { createMockOrg, virtualClock } from '@sfstream/mock-org'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { context, failure, type ScriptedPlatform, scriptedPlatform, tokenReply } from './scripted-platform.ts'

const base = { clientId: 'id', refreshToken: 'first' }
type Rotated = (token: string) => unknown

const flows: [string, (onRotate: Rotated) => AuthProvider][] = [
  ['refreshToken', (onRotate) => refreshToken({ ...base, onRotate })],
  ['authorizationCode', (onRotate) => authorizationCode({ ...base, redirectUri: 'https://app.example/callback', onRotate })],
  ['deviceFlow', (onRotate) => deviceFlow({ ...base, onCode: () => Promise.reject(new Error('nobody is there')), onRotate })],
]

/** An answer that a test gives when it likes. */
function later(): { answer: () => Promise<Response>; give: (response: Response) => void } {
  let give = (_: Response): void => {}
  const response = new Promise<Response>((resolve) => {
    give = resolve
  })
  return { answer: () => response, give: (each) => give(each) }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
const asked = ({ seen }: ScriptedPlatform): (string | undefined)[] => seen.map(({ form }) => form.refresh_token)

describe.each(flows)('%s: a caller that leaves while the request is under way', (_, make) => {
  test('loses no refresh token that the reply brings: it is stored, and the next login goes on with it', async () => {
    const first = later()
    const scripted = scriptedPlatform(first.answer, tokenReply('t2'))
    const stored: string[] = []
    const auth = make((token) => stored.push(token))
    const leaving = new AbortController()
    const left = failure(auth.getSession({ signal: leaving.signal, platform: scripted.platform }))
    await scripted.requests(1)
    leaving.abort(new Error('stopped'))
    expect(await left).toMatchObject({ message: 'stopped' })
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(0)
    first.give(tokenReply('t1', { refresh_token: 'second' }))
    await turn()
    expect(stored).toEqual(['second'])
    expect(scripted.timers()).toBe(0)
    await auth.getSession(context(scripted))
    expect(asked(scripted)).toEqual(['first', 'second'])
  })

  test('is followed by another: one request, for the token works once', async () => {
    const first = later()
    const scripted = scriptedPlatform(first.answer, tokenReply('t2'))
    const auth = make(() => {})
    const leaving = new AbortController()
    const left = failure(auth.getSession({ signal: leaving.signal, platform: scripted.platform }))
    await scripted.requests(1)
    leaving.abort(new Error('stopped'))
    await left
    const next = auth.getSession(context(scripted))
    await turn()
    first.give(tokenReply('t1', { refresh_token: 'second' }))
    expect((await next).accessToken).toBe('t1')
    expect(asked(scripted)).toEqual(['first'])
  })

  test('leaves a request of 30 s at most behind', async () => {
    const scripted = scriptedPlatform(() => new Promise<Response>(() => {}))
    const auth = make(() => {})
    const leaving = new AbortController()
    const left = failure(auth.getSession({ signal: leaving.signal, platform: scripted.platform }))
    await scripted.requests(1)
    leaving.abort(new Error('stopped'))
    await left
    scripted.elapse(30_000)
    await turn()
    expect(scripted.seen[0]?.init.signal?.aborted).toBe(true)
    expect(scripted.timers()).toBe(0)
  })
})

describe('onRotate', () => {
  test('that never ends is given a minute: then store_failed, and the same token again before any request', async () => {
    const scripted = scriptedPlatform(tokenReply('t1', { refresh_token: 'second' }))
    const offered: string[] = []
    const auth = refreshToken({ ...base, onRotate: (token) => (offered.push(token) === 1 ? new Promise(() => {}) : undefined) })
    const failing = failure(auth.getSession(context(scripted)))
    await scripted.requests(1)
    await turn()
    scripted.elapse(60_000)
    expect(await failing).toMatchObject({ code: 'store_failed', retryable: true, message: expect.stringContaining('60 s') })
    expect(scripted.timers()).toBe(0)
    expect((await auth.getSession(context(scripted))).accessToken).toBe('t1')
    expect(offered).toEqual(['second', 'second'])
    expect(scripted.seen).toHaveLength(1)
  })

  test('that works again after long: the session of then may have ended, so there is a new one', async () => {
    const scripted = scriptedPlatform(tokenReply('t1', { refresh_token: 'second' }), tokenReply('t2'))
    let works = false
    const stored: string[] = []
    const auth = refreshToken({ ...base, onRotate: (token) => (works ? stored.push(token) : Promise.reject(new Error('disk full'))) })
    await failure(auth.getSession(context(scripted)))
    scripted.elapse(3 * 3_600_000)
    works = true
    expect((await auth.getSession(context(scripted))).accessToken).toBe('t2')
    expect(stored).toEqual(['second'])
    expect(asked(scripted)).toEqual(['first', 'second'])
  })
})

test.each<[string, Record<string, unknown>, number]>([
  ['no host', { instance_url: undefined }, 200],
  ['no token', { access_token: undefined }, 200],
  ['a token of another kind', { access_token: { value: 't' } }, 200],
  ['a JWT', { access_token: 'eyJh.eyJz.c2ln' }, 200],
  ['an error status', {}, 500],
  ['another status', {}, 201],
])('a new refresh token in a reply with %s is kept and stored all the same', async (_, more, status) => {
  const reply = await tokenReply('t1', { refresh_token: 'second', ...more }).text()
  const scripted = scriptedPlatform(new Response(reply, { status }), tokenReply('t2'))
  const stored: string[] = []
  const auth = refreshToken({ ...base, onRotate: (token) => stored.push(token) })
  expect(await failure(auth.getSession(context(scripted)))).toMatchObject({ name: 'AuthenticationError' })
  expect(stored).toEqual(['second'])
  expect((await auth.getSession(context(scripted))).accessToken).toBe('t2')
  expect(asked(scripted)).toEqual(['first', 'second'])
})

test('a client that is stopped amid a refresh can be started again, in this process and in the next', async () => {
  const clock = virtualClock()
  const org = createMockOrg({ clock, switches: { rotateRefreshTokens: true } })
  let stored = org.credentials.refreshToken
  const platform: Platform = {
    now: clock.now,
    delay: clock.delay,
    random: clock.random,
    // The network takes its time, and a request that was sent is not unsent.
    fetch: async (input, init) => {
      const reply = await org.fetch(input, { ...init, signal: null })
      await new Promise<void>((resolve) => void clock.delay(resolve, 200))
      init?.signal?.throwIfAborted()
      return reply
    },
  }
  const { clientId, clientSecret } = org.credentials
  const make = () => refreshToken({ clientId, clientSecret, refreshToken: stored, onRotate: (token) => (stored = token) })
  const first = createClient({ auth: make(), platform, replayStore: null })
  first.start().catch(() => {})
  await clock.advance(100)
  const stopped = first.stop()
  await clock.advance(3_000)
  await stopped
  expect(clock.pending).toBe(0)
  for (const again of [() => first, () => createClient({ auth: make(), platform, replayStore: null })]) {
    const client = again()
    const started = client.start()
    await clock.advance(3_000)
    await started
    const over = client.stop()
    await clock.advance(3_000)
    await over
  }
})

test('whoever leaves whenever, and however the store fares: the org sees each refresh token once, and the last one is in the store', async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant({ type: 'ask' } as const) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('leave' as const), who: fc.nat(7) }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('answer' as const), broken: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('store' as const), fails: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('elapse' as const), ms: fc.integer({ min: 1, max: 25_000 }) }) },
    { weight: 1, arbitrary: fc.constant({ type: 'turn' } as const) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      let good = 0
      let reused = false
      const answers: ((broken: boolean) => void)[] = []
      const stores: ((fails: boolean) => void)[] = []
      let stored = 'token0'
      const scripted = scriptedPlatform(
        ({ form }) =>
          new Promise<Response>((resolve) => {
            if (form.refresh_token !== `token${good}`) reused = true
            const next = `token${++good}`
            const more = { refresh_token: next }
            answers.push((broken) => resolve(tokenReply(`t${good}`, broken ? { ...more, instance_url: undefined } : more)))
          }),
      )
      const auth = refreshToken({
        clientId: 'id',
        refreshToken: stored,
        onRotate: (token) =>
          new Promise<void>((resolve, reject) =>
            stores.push((fails) => {
              if (fails) return reject(new Error('disk full'))
              stored = token
              resolve()
            }),
          ),
      })
      const callers: AbortController[] = []
      let last: OrgSession | undefined
      const ask = (): void => {
        const caller = new AbortController()
        callers.push(caller)
        const rejected = last ? { rejected: last } : {}
        auth.getSession({ signal: caller.signal, platform: scripted.platform, ...rejected }).then(
          (session) => {
            last = session
          },
          () => {},
        )
      }
      for (const each of steps) {
        if (each.type === 'ask') ask()
        if (each.type === 'leave') callers[each.who]?.abort(new Error('left'))
        if (each.type === 'answer') answers.shift()?.(each.broken)
        if (each.type === 'store') stores.shift()?.(each.fails)
        // A reply that does not come within 30 s is lost, and what it carries: nothing helps there.
        if (each.type === 'elapse' && answers.length === 0) scripted.elapse(each.ms)
        for (let turns = each.type === 'turn' ? 2 : 1; turns > 0; turns--) await turn()
      }
      // Everything works from now on, and somebody asks until there is a session.
      for (let rounds = 0; rounds < 8; rounds++) {
        ask()
        for (let turns = 0; turns < 4; turns++) {
          await turn()
          while (answers.length > 0) answers.shift()?.(false)
          while (stores.length > 0) stores.shift()?.(false)
        }
        scripted.elapse(29_000)
      }
      for (let turns = 0; turns < 4; turns++) await turn()
      expect(reused).toBe(false)
      expect(stored).toBe(`token${good}`)
    }),
    { numRuns: 150 },
  )
})
