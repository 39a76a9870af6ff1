import { accessToken } from '@sfstream/auth'
import { AuthenticationError } from '@sfstream/core'
import { expect, test } from 'vitest'
import { context, failure, instance, scriptedPlatform } from './scripted-platform.ts'

const idle = scriptedPlatform()

test('P11 a token given makes no request; a refused one is replaced by the callback, once for all callers', async () => {
  const refused: unknown[] = []
  const auth = accessToken({
    accessToken: 't1',
    instanceUrl: `${instance}/`,
    refresh: async (rejected) => {
      refused.push(rejected)
      return { accessToken: `t${refused.length + 1}`, instanceUrl: 'https://moved.my.salesforce.com' }
    },
  })
  const first = await auth.getSession(context(idle))
  expect(first).toEqual({ accessToken: 't1', instanceUrl: instance })
  const again = { ...context(idle), rejected: first }
  const next = await Promise.all([auth.getSession(again), auth.getSession(again)])
  expect(next).toEqual(Array(2).fill({ accessToken: 't2', instanceUrl: 'https://moved.my.salesforce.com' }))
  expect(await auth.getSession(again)).toEqual(next[0])
  expect(refused).toEqual([first])
  expect(idle.seen).toHaveLength(0)
})

test('P11 without a callback a refused token is final', async () => {
  const auth = accessToken({ accessToken: 't1', instanceUrl: instance })
  const rejected = await auth.getSession(context(idle))
  for (const _ of [1, 2]) {
    expect(await failure(auth.getSession({ ...context(idle), rejected }))).toMatchObject({
      name: 'AuthenticationError',
      code: 'token_refused',
      retryable: false,
    })
  }
})

test('a callback that answers with the refused token is told so', async () => {
  const auth = accessToken({ accessToken: 't1', instanceUrl: instance, refresh: async (rejected) => rejected })
  const rejected = await auth.getSession(context(idle))
  expect(await failure(auth.getSession({ ...context(idle), rejected }))).toMatchObject({ code: 'token_refused' })
})

test('a failing callback may be tried again, and sees the refused session again', async () => {
  const refused: string[] = []
  const auth = accessToken({
    accessToken: 't1',
    instanceUrl: instance,
    refresh: async (rejected) => {
      refused.push(rejected.accessToken)
      if (refused.length === 1) throw new Error('vault sealed')
      return { accessToken: 't2', instanceUrl: instance }
    },
  })
  const rejected = await auth.getSession(context(idle))
  const error = await failure(auth.getSession({ ...context(idle), rejected }))
  expect(error).toMatchObject({ code: 'login_unavailable', retryable: true, cause: { message: 'vault sealed' } })
  expect((await auth.getSession(context(idle))).accessToken).toBe('t2')
  expect(refused).toEqual(['t1', 't1'])
})

test('a typed error of the callback is passed on as it is', async () => {
  const own = new AuthenticationError({ code: 'login_refused', message: 'signed out', remediation: 'Sign in.' })
  const auth = accessToken({ accessToken: 't1', instanceUrl: instance, refresh: () => Promise.reject(own) })
  const rejected = await auth.getSession(context(idle))
  expect(await failure(auth.getSession({ ...context(idle), rejected }))).toBe(own)
})

test.each([
  ['a JWT', { accessToken: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln', instanceUrl: instance }, 'jwt_access_token'],
  ['nothing', undefined as never, 'missing_credential'],
  ['no instance', { accessToken: 't2' } as never, 'missing_credential'],
  ['a token with its scheme', { accessToken: 'Bearer t2', instanceUrl: instance }, 'bad_option'],
])('a callback that answers with %s is told so', async (_, answer, code) => {
  const auth = accessToken({ accessToken: 't1', instanceUrl: instance, refresh: async () => answer })
  const rejected = await auth.getSession(context(idle))
  expect(await failure(auth.getSession({ ...context(idle), rejected }))).toMatchObject({ name: 'AuthenticationError', code })
})
