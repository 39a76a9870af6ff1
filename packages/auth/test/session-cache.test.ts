import { getEventListeners } from 'node:events'
import { clientCredentials } from '@sfstream/auth'
import type { OrgSession } from '@sfstream/core'
import { deadlineReached, withDeadline } from '@sfstream/core/internal'
import { expect, test } from 'vitest'
import { flows, granted } from './flows.ts'
import { context, failure, hanging, instance, refusal, type Seen, scriptedPlatform, tokenReply } from './scripted-platform.ts'

const numbered = (): ((seen: Seen) => Response) => {
  let count = 0
  return () => tokenReply(`00Dxx!token${++count}`)
}

for (const flow of [...flows, ...granted]) {
  test(`P12 ${flow.name}: concurrent calls make one token request, later ones none`, async () => {
    const scripted = scriptedPlatform(numbered())
    const provider = flow.make()
    const sessions = await Promise.all([1, 2, 3].map(() => provider.getSession(context(scripted))))
    sessions.push(await provider.getSession(context(scripted)))
    expect(new Set(sessions.map((session) => session.accessToken))).toEqual(new Set(['00Dxx!token1']))
    expect(scripted.seen).toHaveLength(1)
  })

  test(`P12 ${flow.name}: concurrent refusals of one token make one new login, and an older refusal none`, async () => {
    const scripted = scriptedPlatform(numbered())
    const provider = flow.make()
    const first = await provider.getSession(context(scripted))
    const again = { ...context(scripted), rejected: first }
    const next = await Promise.all([provider.getSession(again), provider.getSession(again), provider.getSession(context(scripted))])
    expect(next.map((session) => session.accessToken)).toEqual(Array(3).fill('00Dxx!token2'))
    expect((await provider.getSession(again)).accessToken).toBe('00Dxx!token2')
    expect(scripted.seen).toHaveLength(2)
  })
}

const provider = () => clientCredentials({ loginUrl: instance, clientId: 'id', clientSecret: 'secret' })

test('P71 credentials survive a failed login: the next call tries again', async () => {
  const scripted = scriptedPlatform(refusal('server_error', 'try later', 503), tokenReply('t2'))
  const auth = provider()
  expect(await failure(auth.getSession(context(scripted)))).toMatchObject({ code: 'login_unavailable', retryable: true })
  expect((await auth.getSession(context(scripted))).accessToken).toBe('t2')
})

test('an org that has moved and kept its token: one login, however many tell of the old host', async () => {
  const scripted = scriptedPlatform(tokenReply('t1'), tokenReply('t1', { instance_url: 'https://new.my.salesforce.com' }))
  const auth = provider()
  const rejected = await auth.getSession(context(scripted))
  for (const _ of [1, 2, 3])
    expect(await auth.getSession({ ...context(scripted), rejected })).toEqual({
      accessToken: 't1',
      instanceUrl: 'https://new.my.salesforce.com',
    })
  expect(scripted.seen).toHaveLength(2)
})

test("a caller that changes its session changes nobody else's", async () => {
  const scripted = scriptedPlatform(tokenReply('t1'))
  const auth = provider()
  const session = await auth.getSession(context(scripted))
  session.accessToken = 'changed'
  expect((await auth.getSession(context(scripted))).accessToken).toBe('t1')
})

test('one caller leaves alone; the login is aborted with the last one', async () => {
  const scripted = scriptedPlatform(hanging)
  const auth = provider()
  const [one, two] = [new AbortController(), new AbortController()]
  const first = failure(auth.getSession({ signal: one.signal, platform: scripted.platform }))
  const second = failure(auth.getSession({ signal: two.signal, platform: scripted.platform }))
  await scripted.requests(1)
  one.abort(new Error('one leaves'))
  expect(await first).toMatchObject({ message: 'one leaves' })
  expect(scripted.seen[0]?.init.signal?.aborted).toBe(false)
  two.abort(new Error('two leaves'))
  expect(await second).toMatchObject({ message: 'two leaves' })
  expect(scripted.seen[0]?.init.signal?.aborted).toBe(true)
  expect(scripted.timers()).toBe(0)
})

test('an aborted signal makes no request and rejects with its reason', async () => {
  const scripted = scriptedPlatform(tokenReply('t1'))
  const signal = AbortSignal.abort(new Error('gone'))
  expect(await failure(provider().getSession({ signal, platform: scripted.platform }))).toMatchObject({ message: 'gone' })
  expect(scripted.seen).toHaveLength(0)
})

test('a login that does not answer within 30 s fails, even where fetch ignores its signal', async () => {
  const scripted = scriptedPlatform(() => new Promise<Response>(() => {}))
  const failing = failure(provider().getSession(context(scripted)))
  await scripted.requests(1)
  scripted.elapse(29_999)
  expect(scripted.timers()).toBe(1)
  scripted.elapse(1)
  expect(await failing).toMatchObject({
    code: 'login_unavailable',
    retryable: true,
    message: 'acme.my.salesforce.com did not answer within 30 s.',
  })
  expect(scripted.timers()).toBe(0)
})

test('the 30 s cover the body too', async () => {
  const scripted = scriptedPlatform(
    () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{')) })),
  )
  const failing = failure(provider().getSession(context(scripted)))
  await scripted.requests(1)
  scripted.elapse(30_000)
  expect(await failing).toMatchObject({ code: 'login_unavailable', retryable: true })
})

test('a body without end is left at 1 MB', async () => {
  let cancelled = false
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(0x61)),
    cancel: () => {
      cancelled = true
    },
  })
  const scripted = scriptedPlatform(() => new Response(body))
  expect(await failure(provider().getSession(context(scripted)))).toMatchObject({ code: 'login_unavailable', retryable: true })
  expect(cancelled).toBe(true)
})

test('a deadline leaves no listener on the signal, however it ends', async () => {
  const scripted = scriptedPlatform()
  const { signal } = new AbortController()
  const run = (work: () => Promise<number>): Promise<unknown> =>
    withDeadline(1_000, { signal, platform: scripted.platform }, work).catch((error: unknown) => error)
  expect(await run(async () => 1)).toBe(1)
  expect(await run(() => Promise.reject(new Error('x')))).toMatchObject({ message: 'x' })
  const late = run(() => new Promise(() => {}))
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  scripted.elapse(1_000)
  expect(await late).toBe(deadlineReached)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  expect(scripted.timers()).toBe(0)
})

test('sessions that are handed on under another address, such as a proxy’s: the token says which one was refused', async () => {
  const scripted = scriptedPlatform(tokenReply('t1'), tokenReply('t2'), tokenReply('t3'))
  const auth = provider()
  const at = (session: OrgSession): OrgSession => ({ ...session, instanceUrl: 'https://proxy.example' })
  let session = at(await auth.getSession(context(scripted)))
  for (const next of ['t2', 't3']) {
    session = at(await auth.getSession({ ...context(scripted), rejected: session }))
    expect(session.accessToken).toBe(next)
  }
})
