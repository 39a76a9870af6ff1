import { inspect } from 'node:util'
import { refreshToken } from '@sfstream/auth'
import { expect, test } from 'vitest'
import { context, failure, scriptedPlatform, tokenReply } from './scripted-platform.ts'

const base = { refreshToken: 'first-token', clientId: 'id' }

test('P12 a new refresh token replaces the old one, and onRotate sees it before the session is handed out', async () => {
  const scripted = scriptedPlatform(tokenReply('t1', { refresh_token: 'second-token' }), tokenReply('t2'))
  const steps: string[] = []
  let stored = (): void => {}
  const called = new Promise<void>((resolve) => {
    stored = resolve
  })
  let finish = (): void => {}
  const auth = refreshToken({
    ...base,
    onRotate: (token) => {
      steps.push(`rotated ${token}`)
      stored()
      return new Promise<void>((resolve) => {
        finish = resolve
      })
    },
  })
  const handed = auth.getSession(context(scripted)).then((session) => {
    steps.push(`handed out ${session.accessToken}`)
    return session
  })
  await called
  // Whatever needs no more than the reply has happened after a turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve))
  expect(steps).toEqual(['rotated second-token'])
  finish()
  const session = await handed
  expect(steps).toEqual(['rotated second-token', 'handed out t1'])
  await auth.getSession({ ...context(scripted), rejected: session })
  expect(scripted.seen.map((request) => request.form.refresh_token)).toEqual(['first-token', 'second-token'])
})

test('P12 a failing onRotate is a typed error; the new token is kept and offered again before any request', async () => {
  const scripted = scriptedPlatform(tokenReply('t1', { refresh_token: 'second-token' }), tokenReply('t2'))
  const offered: string[] = []
  const auth = refreshToken({
    ...base,
    onRotate: (token) => {
      offered.push(token)
      if (offered.length === 1) throw new Error(`disk full, could not write ${token}`)
      return offered.length === 2 ? Promise.reject(new Error('disk still full')) : undefined
    },
  })
  const error = await failure(auth.getSession(context(scripted)))
  expect(error).toMatchObject({ name: 'AuthenticationError', code: 'store_failed', retryable: true })
  expect(inspect(error)).toContain('disk full')
  expect(inspect(error, { showHidden: true, depth: null })).not.toContain('second-token')
  expect(await failure(auth.getSession(context(scripted)))).toMatchObject({ code: 'store_failed', cause: { message: 'disk still full' } })
  const session = await auth.getSession(context(scripted))
  expect(session.accessToken).toBe('t1')
  expect(offered).toEqual(Array(3).fill('second-token'))
  expect(scripted.seen).toHaveLength(1)
  await auth.getSession({ ...context(scripted), rejected: session })
  expect(scripted.seen[1]?.form.refresh_token).toBe('second-token')
})

test('the same refresh token in the reply is no rotation, and neither is none', async () => {
  const scripted = scriptedPlatform(tokenReply('t1', { refresh_token: 'first-token' }), tokenReply('t2'))
  let rotations = 0
  const auth = refreshToken({ ...base, onRotate: () => rotations++ })
  const first = await auth.getSession(context(scripted))
  await auth.getSession({ ...context(scripted), rejected: first })
  expect(rotations).toBe(0)
})

test('a rotated token is kept and stored even where the rest of the reply is unusable', async () => {
  const scripted = scriptedPlatform(tokenReply('t1', { refresh_token: 'second-token', instance_url: 'nowhere' }), tokenReply('t2'))
  const stored: string[] = []
  const auth = refreshToken({ ...base, onRotate: (token) => stored.push(token) })
  expect(await failure(auth.getSession(context(scripted)))).toMatchObject({ code: 'bad_instance_url' })
  expect((await auth.getSession(context(scripted))).accessToken).toBe('t2')
  expect(stored).toEqual(['second-token'])
  expect(scripted.seen[1]?.form.refresh_token).toBe('second-token')
})
