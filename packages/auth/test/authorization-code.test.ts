import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { type AuthorizationCodeOptions, authorizationCode, type PendingAuthorization } from '@sfstream/auth'
import type { Platform } from '@sfstream/core'
import { createMockOrg, type MockOrg, type MockOrgOptions } from '@sfstream/mock-org'
import { describe, expect, test } from 'vitest'
import { context, failure, hanging, refusal, scriptedPlatform, tokenReply } from './scripted-platform.ts'

const redirectUri = 'https://app.example/callback'
const base = { clientId: '3MVG9', redirectUri }

/** A provider, and an org whose user agrees. */
function setUp(options: Partial<AuthorizationCodeOptions> = {}, orgOptions: MockOrgOptions = {}) {
  const org = createMockOrg(orgOptions)
  const stored: string[] = []
  const { clientId, clientSecret } = org.credentials
  const make = (more: Partial<AuthorizationCodeOptions> = {}) =>
    authorizationCode({ clientId, clientSecret, redirectUri, onRotate: (token) => stored.push(token), ...options, ...more })
  const platform: Platform = { ...scriptedPlatform().platform, fetch: org.fetch }
  return { org, make, auth: make(), stored, platform, context: { signal: new AbortController().signal, platform } }
}

/** What the browser of a user does with the URL. */
async function visit(org: MockOrg, { url }: PendingAuthorization): Promise<string> {
  const response = await org.fetch(url, { redirect: 'manual' })
  const location = response.headers.get('location')
  if (location === null) throw new Error(`${response.status} ${await response.text()}`)
  return location
}

async function works(org: MockOrg, token: string): Promise<boolean> {
  const reply = await org.fetch(`${org.url}/services/data/v66.0/limits`, { headers: { authorization: `Bearer ${token}` } })
  return reply.status === 200
}

describe('with the simulated org', () => {
  test('the URL, the login page, the callback, a session; then it refreshes by itself', async () => {
    const { org, auth, stored, platform, context } = setUp()
    const callback = await visit(org, await auth.authorize())
    const session = await auth.exchange(callback, { platform })
    expect(session.instanceUrl).toBe(org.url)
    expect(await auth.getSession(context)).toEqual(session)
    expect(stored).toHaveLength(1)
    org.faults.revokeTokens()
    const next = await auth.getSession({ ...context, rejected: session })
    expect(next.accessToken).not.toBe(session.accessToken)
    expect(await works(org, next.accessToken)).toBe(true)
  })

  test('rotated refresh tokens are stored one after the other, and the newest begins the next process without a user', async () => {
    const { org, auth, make, stored, platform, context } = setUp({}, { switches: { rotateRefreshTokens: true } })
    const session = await auth.exchange(await visit(org, await auth.authorize()), { platform })
    await auth.getSession({ ...context, rejected: session })
    expect(new Set(stored).size).toBe(2)
    const restarted = make({ refreshToken: stored.at(-1)! })
    expect(await works(org, (await restarted.getSession(context)).accessToken)).toBe(true)
    expect(stored).toHaveLength(3)
  })

  test('a page that was left goes on with what it kept', async () => {
    const { org, auth, make, platform } = setUp()
    const kept = JSON.stringify(await auth.authorize())
    const pending = JSON.parse(kept) as PendingAuthorization
    const callback = await visit(org, pending)
    const returned = make()
    expect(await failure(returned.exchange(callback, { platform }))).toMatchObject({
      code: 'bad_callback',
      remediation: expect.stringContaining('`pending`'),
    })
    expect(await works(org, (await returned.exchange(callback, { pending, platform })).accessToken)).toBe(true)
  })

  test('a server may pass the path of its request', async () => {
    const { org, auth, platform } = setUp()
    const { pathname, search } = new URL(await visit(org, await auth.authorize()))
    expect(await works(org, (await auth.exchange(pathname + search, { platform })).accessToken)).toBe(true)
  })

  test('the user declines: in the words of Salesforce, and the next authorization works', async () => {
    const { org, auth, platform } = setUp()
    org.faults.denyAuthorization()
    expect(await failure(auth.exchange(await visit(org, await auth.authorize()), { platform }))).toMatchObject({
      name: 'AuthenticationError',
      code: 'login_refused',
      server: { error: 'access_denied', text: 'end-user denied authorization' },
      remediation: expect.stringContaining('declined'),
    })
    expect(org.inspect.requests.filter(({ path }) => path.endsWith('/token'))).toEqual([])
  })

  test('a code that was used is refused in the words of Salesforce', async () => {
    const { org, auth, platform } = setUp()
    const pending = await auth.authorize()
    const callback = await visit(org, pending)
    await auth.exchange(callback, { platform })
    expect(await failure(auth.exchange(callback, { platform }))).toMatchObject({ code: 'bad_callback' })
    expect(await failure(auth.exchange(callback, { pending, platform }))).toMatchObject({
      code: 'login_refused',
      server: { error: 'invalid_grant', text: 'expired authorization code' },
      remediation: expect.stringContaining('authorize()'),
    })
  })

  test('a verifier that is not the one of the URL is refused', async () => {
    const { org, auth, platform } = setUp()
    const pending = await auth.authorize()
    const callback = await visit(org, pending)
    const error = await failure(auth.exchange(callback, { pending: { ...pending, codeVerifier: 'v'.repeat(43) }, platform }))
    expect(error).toMatchObject({ code: 'login_refused', server: { text: 'invalid code verifier' } })
  })

  test('calls with one callback share one request', async () => {
    const { org, auth, platform } = setUp()
    const callback = await visit(org, await auth.authorize())
    const [one, two] = await Promise.all([auth.exchange(callback, { platform }), auth.exchange(callback, { platform })])
    expect(one).toEqual(two)
    expect(org.inspect.requests.filter(({ path }) => path.endsWith('/token'))).toHaveLength(1)
  })

  test('without a refresh token the user is needed again', async () => {
    const { org, auth, stored, platform, context } = setUp({ scope: 'api' })
    const session = await auth.exchange(await visit(org, await auth.authorize()), { platform })
    expect(stored).toEqual([])
    for (const rejected of [{ rejected: session }, {}])
      expect(await failure(auth.getSession({ ...context, ...rejected }))).toMatchObject({
        code: 'authorization_needed',
        retryable: false,
        message: expect.stringContaining('The session has ended'),
      })
    const again = await auth.exchange(await visit(org, await auth.authorize()), { platform })
    expect(await auth.getSession({ ...context, rejected: session })).toEqual(again)
  })

  test('when the authorization was revoked the user is needed again, and Salesforce says why', async () => {
    const { org, auth, platform, context } = setUp()
    const session = await auth.exchange(await visit(org, await auth.authorize()), { platform })
    org.faults.revokeTokens({ refreshTokensToo: true })
    expect(await failure(auth.getSession({ ...context, rejected: session }))).toMatchObject({
      code: 'authorization_needed',
      server: { error: 'invalid_grant', text: 'expired access/refresh token' },
    })
    const again = await auth.exchange(await visit(org, await auth.authorize()), { platform })
    expect(await auth.getSession({ ...context, rejected: session })).toEqual(again)
  })
})

describe('the URL', () => {
  test('asks for a code by S256, with the state and verifier of the object beside it', async () => {
    const pending = await authorizationCode({ ...base, loginUrl: 'https://acme.my.site.com/partners/', scope: 'api openid' }).authorize()
    const { origin, pathname, searchParams } = new URL(pending.url)
    expect(origin + pathname).toBe('https://acme.my.site.com/partners/services/oauth2/authorize')
    expect(Object.fromEntries(searchParams)).toEqual({
      response_type: 'code',
      client_id: '3MVG9',
      redirect_uri: redirectUri,
      scope: 'api openid',
      state: pending.state,
      code_challenge: createHash('sha256').update(pending.codeVerifier).digest('base64url'),
      code_challenge_method: 'S256',
    })
    // RFC 7636, 4.1.
    expect(pending.codeVerifier).toMatch(/^[\w-]{43,128}$/)
    expect(pending.url).not.toContain(pending.codeVerifier)
  })

  test('is another one each time, and never goes by the platform, whose chance can be guessed', async () => {
    const auth = authorizationCode(base)
    const all = await Promise.all(Array.from({ length: 20 }, () => auth.authorize()))
    expect(new Set(all.flatMap(({ state, codeVerifier }) => [state, codeVerifier])).size).toBe(40)
  })

  test('nothing is sent before there is a callback, and the provider says what to do', async () => {
    const scripted = scriptedPlatform()
    const auth = authorizationCode(base)
    await auth.authorize()
    expect(await failure(auth.getSession(context(scripted)))).toMatchObject({
      name: 'AuthenticationError',
      code: 'authorization_needed',
      retryable: false,
      remediation: expect.stringContaining('authorize()'),
    })
    expect(scripted.seen).toEqual([])
  })
})

describe('the callback', () => {
  const answers: [string, (state: string) => string][] = [
    ['another state', () => `${redirectUri}?code=aPrx&state=x`],
    ['no state', () => `${redirectUri}?code=aPrx`],
    ['an error with another state', () => `${redirectUri}?error=access_denied&state=x`],
    ['two states', (state) => `${redirectUri}?code=aPrx&state=${state}&state=x`],
    ['two codes', (state) => `${redirectUri}?code=aPrx&code=bPrx&state=${state}`],
    ['neither code nor error', (state) => `${redirectUri}?state=${state}`],
    ['an empty code', (state) => `${redirectUri}?code=&state=${state}`],
    ['no URL', () => 'http://[aPrx'],
    ['everything in the fragment', (state) => `${redirectUri}#code=aPrx&state=${state}`],
  ]

  test.each(answers)('with %s is refused, sends nothing, and leaves the authorization open', async (_, make) => {
    const scripted = scriptedPlatform(tokenReply('00Dxx!t'))
    const auth = authorizationCode(base)
    const { state } = await auth.authorize()
    const error = await failure(auth.exchange(make(state), { platform: scripted.platform }))
    expect(error).toMatchObject({ name: 'AuthenticationError', code: 'bad_callback' })
    expect(inspect(error)).not.toContain('aPrx')
    expect(scripted.seen).toEqual([])
    const good = await auth.exchange(`${redirectUri}?code=aPrx%3D%3D&state=${state}`, { platform: scripted.platform })
    expect(good.accessToken).toBe('00Dxx!t')
  })

  test.each([{}, { state: 'x' }, { state: '', codeVerifier: '' }, { codeVerifier: 'x' }])(
    'with a broken `pending` is refused: %j',
    async (pending) => {
      const error = await failure(
        authorizationCode(base).exchange(`${redirectUri}?code=a&state=`, { pending: pending as PendingAuthorization }),
      )
      expect(error).toMatchObject({ code: 'bad_callback' })
    },
  )

  test.each(['access_denied', 'access-denied', 'OAUTH_APP_BLOCKED'])('with error %s keeps the words', async (error) => {
    const auth = authorizationCode(base)
    const { state } = await auth.authorize()
    const caught = await failure(auth.exchange(`${redirectUri}?error=${error}&error_description=end-user+denied&state=${state}`))
    expect(caught).toMatchObject({ code: 'login_refused', server: { error, text: 'end-user denied' } })
    expect(caught).not.toHaveProperty('server.status')
  })

  test('the form has exactly its fields, the code decoded once, the client secret only where there is one', async () => {
    const scripted = scriptedPlatform(tokenReply('00Dxx!t'))
    const forms = []
    for (const secret of [{}, { clientSecret: 'secret' }]) {
      const auth = authorizationCode({ ...base, ...secret })
      const { state, codeVerifier } = await auth.authorize()
      await auth.exchange(`${redirectUri}?code=aPrx%2541%3D%3D&state=${state}`, { platform: scripted.platform })
      forms.push({
        grant_type: 'authorization_code',
        client_id: '3MVG9',
        ...('clientSecret' in secret ? { client_secret: 'secret' } : {}),
        redirect_uri: redirectUri,
        code: 'aPrx%41==',
        code_verifier: codeVerifier,
      })
    }
    expect(scripted.seen.map((seen) => [seen.url.pathname, seen.form])).toEqual(forms.map((form) => ['/services/oauth2/token', form]))
    expect(scripted.timers()).toBe(0)
  })

  test('a passing failure leaves it open: the same callback may be exchanged again', async () => {
    const scripted = scriptedPlatform(new TypeError('fetch failed'), refusal('server_error', 'try later', 503), tokenReply('00Dxx!t'))
    const auth = authorizationCode(base)
    const callback = `${redirectUri}?code=a&state=${(await auth.authorize()).state}`
    for (const _ of [1, 2])
      expect(await failure(auth.exchange(callback, { platform: scripted.platform }))).toMatchObject({ code: 'login_unavailable' })
    expect((await auth.exchange(callback, { platform: scripted.platform })).accessToken).toBe('00Dxx!t')
  })

  test('a user who went back and agreed again: the new code is exchanged, not the one before', async () => {
    const scripted = scriptedPlatform(refusal('invalid_grant', 'expired authorization code'), tokenReply('00Dxx!t'))
    const auth = authorizationCode(base)
    const { state } = await auth.authorize()
    const exchange = (code: string) => auth.exchange(`${redirectUri}?code=${code}&state=${state}`, { platform: scripted.platform })
    const outcomes = await Promise.all([failure(exchange('first')), exchange('second')])
    expect(outcomes).toMatchObject([{ code: 'login_refused' }, { accessToken: '00Dxx!t' }])
    expect(scripted.seen.map(({ form }) => form.code)).toEqual(['first', 'second'])
  })

  test('abort cuts the exchange off', async () => {
    const scripted = scriptedPlatform(hanging)
    const auth = authorizationCode(base)
    const callback = `${redirectUri}?code=a&state=${(await auth.authorize()).state}`
    const leaving = new AbortController()
    const exchanged = failure(auth.exchange(callback, { platform: scripted.platform, signal: leaving.signal }))
    await scripted.requests(1)
    leaving.abort(new Error('enough'))
    expect(await exchanged).toMatchObject({ message: 'enough' })
    expect(scripted.seen[0]?.init.signal?.aborted).toBe(true)
    expect(scripted.timers()).toBe(0)
  })

  test('a refresh token that cannot be stored is offered again by the next getSession()', async () => {
    const scripted = scriptedPlatform(tokenReply('00Dxx!t', { refresh_token: '5Aep' }))
    const offered: string[] = []
    const auth = authorizationCode({
      ...base,
      onRotate: (token) => {
        offered.push(token)
        if (offered.length === 1) throw new Error(`no room for ${token}`)
      },
    })
    const callback = `${redirectUri}?code=a&state=${(await auth.authorize()).state}`
    const error = await failure(auth.exchange(callback, { platform: scripted.platform }))
    expect(error).toMatchObject({ code: 'store_failed', retryable: true })
    expect(inspect(error)).not.toContain('5Aep')
    expect((await auth.getSession(context(scripted))).accessToken).toBe('00Dxx!t')
    expect(offered).toEqual(['5Aep', '5Aep'])
    expect(scripted.seen).toHaveLength(1)
  })

  test('another user logs in while a refresh for the first is under way: the second counts, session and refresh token', async () => {
    let refreshed = (_: Response): void => {}
    const scripted = scriptedPlatform(
      () => new Promise<Response>((resolve) => (refreshed = resolve)),
      tokenReply('00Dxx!second', { refresh_token: 'second' }),
      tokenReply('00Dxx!third'),
    )
    const stored: string[] = []
    const auth = authorizationCode({ ...base, refreshToken: 'first', onRotate: (token) => stored.push(token) })
    const refreshing = auth.getSession(context(scripted))
    await scripted.requests(1)
    const callback = `${redirectUri}?code=a&state=${(await auth.authorize()).state}`
    const second = await auth.exchange(callback, { platform: scripted.platform })
    refreshed(tokenReply('00Dxx!first', { refresh_token: 'first-rotated' }))
    expect((await refreshing).accessToken).toBe('00Dxx!second')
    expect(await auth.getSession(context(scripted))).toEqual(second)
    await auth.getSession({ ...context(scripted), rejected: second })
    expect(scripted.seen[2]?.form.refresh_token).toBe('second')
    expect(stored).toEqual(['second'])
  })

  test('a new authorization without a refresh token forgets the old one, which may be of another user', async () => {
    const scripted = scriptedPlatform(tokenReply('00Dxx!second'))
    const auth = authorizationCode({ ...base, refreshToken: 'first' })
    const callback = `${redirectUri}?code=a&state=${(await auth.authorize()).state}`
    const session = await auth.exchange(callback, { platform: scripted.platform })
    expect(await failure(auth.getSession({ ...context(scripted), rejected: session }))).toMatchObject({ code: 'authorization_needed' })
    expect(scripted.seen).toHaveLength(1)
  })

  test('no code, verifier or secret shows in an error, however the server echoes it', async () => {
    const scripted = scriptedPlatform((seen) => refusal('invalid_grant', `no: ${seen.body} ${Object.values(seen.form).join(' ')}`))
    const auth = authorizationCode({ ...base, clientSecret: 'client/"secret"=' })
    const { state, codeVerifier } = await auth.authorize()
    const error = await failure(auth.exchange(`${redirectUri}?code=aPrx%3D%3D&state=${state}`, { platform: scripted.platform }))
    const printed = inspect(error, { showHidden: true, depth: null })
    for (const secret of ['aPrx', codeVerifier, 'client/"secret"=', 'client%2F']) expect(printed).not.toContain(secret)
  })
})
