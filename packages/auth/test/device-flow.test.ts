import { inspect } from 'node:util'
import { type DeviceFlowOptions, deviceFlow } from '@sfstream/auth'
import type { Platform } from '@sfstream/core'
import { createMockOrg, type MockOrgOptions, type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { describe, expect, test } from 'vitest'
import { type Answer, failure, refusal, scriptedPlatform, tokenReply } from './scripted-platform.ts'

interface Rig {
  clock: VirtualClock
  platform: Platform
  /** When requests were made, in seconds from the start. */
  times: number[]
  forms: Record<string, string>[]
  shown: [userCode: string, verificationUri: string][]
  controller: AbortController
  context: { signal: AbortSignal; platform: Platform }
  make(options?: Partial<DeviceFlowOptions>): ReturnType<typeof deviceFlow>
}

function rig(clock: VirtualClock, fetch: Platform['fetch'], credentials: { clientId: string }): Rig {
  const began = clock.now()
  const times: number[] = []
  const forms: Record<string, string>[] = []
  const shown: Rig['shown'] = []
  const controller = new AbortController()
  const platform: Platform = {
    now: clock.now,
    delay: clock.delay,
    random: clock.random,
    fetch: (input, init) => {
      times.push((clock.now() - began) / 1_000)
      forms.push(Object.fromEntries(new URLSearchParams(String(init?.body))))
      return fetch(input, init)
    },
  }
  return {
    clock,
    platform,
    times,
    forms,
    shown,
    controller,
    context: { signal: controller.signal, platform },
    make: (options) => deviceFlow({ ...credentials, onCode: (...code) => shown.push(code), ...options }),
  }
}

function withOrg(options: MockOrgOptions = {}) {
  const clock = virtualClock()
  const org = createMockOrg({ clock, ...options })
  return { org, ...rig(clock, org.fetch, { clientId: org.credentials.clientId }) }
}

/** The server says what is listed, a device code first. */
function withAnswers(...answers: Answer[]) {
  const scripted = scriptedPlatform(...answers)
  return rig(virtualClock(), scripted.platform.fetch, { clientId: '3MVG9' })
}

const codeReply = (more: Record<string, unknown> = {}): Response =>
  Response.json({
    device_code: 'device-secret',
    user_code: 'BCDF2345',
    verification_uri: 'https://login.salesforce.com/setup/connect',
    interval: 5,
    ...more,
  })
const pending = refusal('authorization_pending', 'authorization pending')
const slow = refusal('slow_down', 'polling too quickly')

/** Settles `login` under the clock. */
async function settled<T>(clock: VirtualClock, login: Promise<T>): Promise<T | unknown> {
  let done = false
  const outcome = login.then(
    (value) => value,
    (error: unknown) => error,
  )
  void outcome.then(() => (done = true))
  await clock.runUntil(() => done, 7_200_000)
  return outcome
}

describe('with the simulated org', () => {
  test('shows the code, asks at the interval of the server, and has a session when the user agrees', async () => {
    const { org, clock, make, context, shown, times, forms } = withOrg()
    const stored: string[] = []
    const auth = make({ onRotate: (token) => stored.push(token) })
    const login = auth.getSession(context)
    await clock.advance(12_000)
    expect(shown).toEqual([[expect.stringMatching(/^\w{8}$/), `${org.loginUrl}/setup/connect`]])
    org.answerDevice(shown[0]![0], true)
    const session = (await settled(clock, login)) as { accessToken: string }
    expect(times).toEqual([0, 5, 10, 15])
    const { clientId } = org.credentials
    expect(forms[0]).toEqual({ response_type: 'device_code', client_id: clientId, scope: 'api refresh_token' })
    expect(forms[1]).toEqual({ grant_type: 'device', client_id: clientId, code: expect.stringMatching(/^\w{40}$/) })
    expect(session).toMatchObject({ instanceUrl: org.url })
    expect(stored).toHaveLength(1)
    expect(clock.pending).toBe(0)
    // An app that requires no secret of the flow may require none for refreshing.
    org.apps[0]!.requireSecret = false
    const next = (await settled(clock, auth.getSession({ ...context, rejected: session as never }))) as { accessToken: string }
    expect(next.accessToken).not.toBe(session.accessToken)
    expect(shown).toHaveLength(1)
  })

  test('concurrent callers share one code, and each leaves alone', async () => {
    const { org, clock, make, context, shown } = withOrg()
    const auth = make()
    const leaving = new AbortController()
    const [left, stayed] = [failure(auth.getSession({ ...context, signal: leaving.signal })), auth.getSession(context)]
    await clock.advance(6_000)
    leaving.abort(new Error('one leaves'))
    expect(await left).toMatchObject({ message: 'one leaves' })
    org.answerDevice(shown[0]![0], true)
    expect(await settled(clock, stayed)).toMatchObject({ instanceUrl: org.url })
    expect(shown).toHaveLength(1)
  })

  test('S34 pending, one slow_down, and then five seconds more between polls', async () => {
    const { org, clock, make, context, times, shown } = withOrg({ scenario: 'S34' })
    const login = make().getSession(context)
    await clock.advance(18_000)
    org.answerDevice(shown[0]![0], true)
    expect(await settled(clock, login)).toMatchObject({ instanceUrl: org.url })
    // The second poll is told to slow down.
    expect(times).toEqual([0, 5, 10, 20])
  })

  test('the user declines: the words of Salesforce, at once', async () => {
    const { org, clock, make, context, shown, times } = withOrg()
    const login = failure(make().getSession(context))
    await clock.advance(3_000)
    org.answerDevice(shown[0]![0], false)
    expect(await settled(clock, login)).toMatchObject({
      name: 'AuthenticationError',
      code: 'login_refused',
      retryable: false,
      server: { error: 'access_denied', text: 'end-user denied authorization' },
    })
    expect(times).toEqual([0, 5])
  })

  test('nobody enters the code: an end after ten minutes, a bounded number of polls, and another code at the next login', async () => {
    const { clock, make, context, shown, times } = withOrg()
    const auth = make()
    expect(await settled(clock, auth.getSession(context))).toMatchObject({ code: 'authorization_needed', retryable: false })
    expect(times.at(-1)).toBeLessThanOrEqual(600)
    expect(times).toHaveLength(120)
    expect(clock.pending).toBe(0)
    const again = failure(auth.getSession(context))
    await clock.settle()
    expect(shown).toHaveLength(2)
    expect(shown[1]).not.toEqual(shown[0])
    await settled(clock, again)
  })

  test('a revoked authorization asks the user again', async () => {
    const { org, clock, make, context, shown } = withOrg({ apps: [{ requireSecret: false }] })
    const auth = make({ refreshToken: org.credentials.refreshToken })
    const session = (await settled(clock, auth.getSession(context))) as { accessToken: string; instanceUrl: string }
    expect(shown).toEqual([])
    org.faults.revokeTokens({ refreshTokensToo: true })
    const login = auth.getSession({ ...context, rejected: session })
    await clock.advance(1_000)
    expect(shown).toHaveLength(1)
    org.answerDevice(shown[0]![0], true)
    expect(await settled(clock, login)).toMatchObject({ instanceUrl: org.url })
  })
})

describe('polling', () => {
  test.each([
    ['the interval of the server', { interval: 7 }, [0, 7, 14]],
    ['five seconds where it names none', { interval: undefined }, [0, 5, 10]],
    ['at least a second', { interval: 0 }, [0, 1, 2]],
    ['at most a minute', { interval: 3_600 }, [0, 60, 120]],
  ])('waits %s', async (_, more, expected) => {
    const { clock, make, context, times } = withAnswers(codeReply(more), pending, tokenReply('00Dxx!t'))
    expect(await settled(clock, make().getSession(context))).toMatchObject({ accessToken: '00Dxx!t' })
    expect(times).toEqual(expected)
  })

  test('each slow_down adds five seconds, for good', async () => {
    const { clock, make, context, times } = withAnswers(codeReply(), slow, slow, pending, tokenReply('00Dxx!t'))
    await settled(clock, make().getSession(context))
    expect(times).toEqual([0, 5, 15, 30, 45])
  })

  test('goes on through outages, less often, within the life of the code', async () => {
    const down = new TypeError('fetch failed')
    const html = new Response('<html>', { status: 503 })
    const { clock, make, context, times } = withAnswers(
      codeReply(),
      down,
      html,
      refusal('server_error', 'x', 500),
      pending,
      tokenReply('00Dxx!t'),
    )
    expect(await settled(clock, make().getSession(context))).toMatchObject({ accessToken: '00Dxx!t' })
    expect(times).toEqual([0, 5, 15, 35, 75, 115])
  })

  test.each([
    ['the lifetime the server names', { expires_in: 30 }, 30],
    ['an hour at most', { expires_in: 1e9 }, 3_600],
    ['ten minutes where it names none', {}, 600],
  ])('ends after %s', async (_, more, seconds) => {
    const { clock, make, context } = withAnswers(codeReply(more), pending)
    const began = clock.now()
    expect(await settled(clock, make().getSession(context))).toMatchObject({ code: 'authorization_needed' })
    expect((clock.now() - began) / 1_000).toBe(seconds)
  })

  test('ends on time where a poll hangs or the user was never shown the code', async () => {
    for (const options of [{}, { onCode: () => new Promise(() => {}) }]) {
      const { clock, make, context } = withAnswers(codeReply({ expires_in: 20 }), () => new Promise<Response>(() => {}))
      expect(await settled(clock, make(options).getSession(context))).toMatchObject({ code: 'authorization_needed' })
      expect(clock.pending).toBe(0)
    }
  })

  test.each([
    ['expired_token', 'x'],
    ['invalid_grant', 'expired device code'],
  ])('%s (%s) says that nobody entered the code, in the words of the server', async (error, text) => {
    const { clock, make, context } = withAnswers(codeReply(), refusal(error, text))
    expect(await settled(clock, make().getSession(context))).toMatchObject({ code: 'authorization_needed', server: { error, text } })
  })

  test.each([
    ['invalid_client_id', 'client identifier invalid'],
    ['invalid_grant', 'invalid device code'],
    ['unsupported_grant_type', 'grant type not supported'],
  ])('%s is final at once', async (error, text) => {
    const { clock, make, context, times } = withAnswers(codeReply(), refusal(error, text))
    expect(await settled(clock, make().getSession(context))).toMatchObject({ code: 'login_refused', server: { error, text } })
    expect(times).toHaveLength(2)
  })

  test.each([
    ['while it waits', 7_000, 2],
    ['while a poll is under way', 5_000, 2],
    ['before the first poll', 1_000, 1],
  ])('abort %s settles at once with the reason, and asks no more', async (_, ms, requests) => {
    const { clock, make, context, controller, times } = withAnswers(codeReply(), () => new Promise<Response>(() => {}))
    const login = failure(make().getSession(context))
    await clock.advance(ms)
    controller.abort(new Error('enough'))
    expect(await login).toMatchObject({ message: 'enough' })
    expect(clock.pending).toBe(0)
    await clock.advance(600_000)
    expect(times).toHaveLength(requests)
  })
})

describe('the code', () => {
  test.each([
    ['no code', { device_code: undefined }],
    ['no user code', { user_code: undefined }],
    ['a user code that moves the cursor', { user_code: 'A\u001b[2J' }],
    ['a URL that is none', { verification_uri: 'setup/connect' }],
    ['a script for a URL', { verification_uri: 'javascript:alert(1)' }],
    ['plain http', { verification_uri: 'http://login.example/' }],
  ])('a reply with %s is a typed error, and nothing is shown', async (_, more) => {
    const { clock, make, context, shown } = withAnswers(codeReply(more))
    expect(await settled(clock, make().getSession(context))).toMatchObject({ name: 'AuthenticationError', code: 'login_unavailable' })
    expect(shown).toEqual([])
  })

  test('a refusal to give one keeps its words', async () => {
    const { clock, make, context } = withAnswers(refusal('invalid_client_id', 'client identifier invalid'))
    expect(await settled(clock, make().getSession(context))).toMatchObject({
      code: 'login_refused',
      server: { error: 'invalid_client_id' },
    })
  })

  test('an onCode that fails ends the login, its cause kept and no secret in it', async () => {
    const fails = [
      () => {
        throw new Error('no terminal for device-secret')
      },
      () => Promise.reject(new Error('no terminal for device-secret')),
    ]
    for (const onCode of fails) {
      const { clock, make, context, times } = withAnswers(codeReply(), pending)
      const error = await settled(clock, make({ onCode }).getSession(context))
      expect(error).toMatchObject({ code: 'login_refused', cause: { message: 'no terminal for [secret]' } })
      expect(times).toHaveLength(1)
      expect(clock.pending).toBe(0)
    }
  })

  test('the device code and the client secret show in no error, however the server echoes them', async () => {
    const { clock, make, context } = withAnswers(codeReply(), (seen) =>
      refusal('invalid_grant', `${seen.body} ${Object.values(seen.form).join(' ')}`),
    )
    const error = await settled(clock, make({ clientSecret: 'client/"secret"=' }).getSession(context))
    const printed = inspect(error, { showHidden: true, depth: null })
    for (const secret of ['device-secret', 'client/"secret"=', 'client%2F']) expect(printed).not.toContain(secret)
  })
})
