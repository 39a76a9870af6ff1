import { createMockOrg, type MockOrg, type MockOrgOptions, virtualClock } from '@sfstream/mock-org'
import { importPKCS8, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { rawClient } from './raw-client.ts'

function setUp(options: MockOrgOptions = {}) {
  const clock = virtualClock()
  return { clock, org: createMockOrg({ clock, ...options }) }
}

interface TokenReply {
  [key: string]: unknown
  access_token: string
  refresh_token: string
  device_code: string
  user_code: string
}

async function token(org: MockOrg, form: Record<string, string>, host = org.url, headers: Record<string, string> = {}) {
  const response = await org.fetch(`${host}/services/oauth2/token`, { method: 'POST', body: new URLSearchParams(form), headers })
  return { status: response.status, reply: (await response.json()) as TokenReply, response }
}

const app = (org: MockOrg) => ({ client_id: org.credentials.clientId, client_secret: org.credentials.clientSecret })
const refusal = (error: string, error_description: string) => ({ status: 400, reply: { error, error_description } })

describe('the token endpoint', () => {
  it('logs in with a password and security token, on all hosts, and the token opens CometD', async () => {
    const { org } = setUp()
    const { username, password, securityToken } = org.credentials
    for (const host of ['https://login.salesforce.com', 'https://test.salesforce.com', org.url]) {
      const { status, reply, response } = await token(
        org,
        { grant_type: 'password', ...app(org), username, password: password + securityToken },
        host,
      )
      expect(status).toBe(200)
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(reply.access_token).toMatch(new RegExp(`^${org.orgId}!\\S{90,}$`))
      expect(reply).not.toHaveProperty('expires_in')
      expect(reply).not.toHaveProperty('refresh_token')
      expect(reply.id).toMatch(/\/id\/00D\w{15}\/005\w{15}$/)
      expect(await rawClient(org, { token: reply.access_token }).handshake()).toMatchObject({ successful: true })
    }
    expect(org.inspect.logins).toBe(3)
  })

  it.each([
    [
      'wrong password',
      { grant_type: 'password', username: 'user@acme.example', password: 'x' },
      {},
      refusal('invalid_grant', 'authentication failure'),
    ],
    [
      'no security token',
      { grant_type: 'password', username: 'user@acme.example', password: 'correct-horse' },
      {},
      refusal('invalid_grant', 'authentication failure'),
    ],
    ['wrong secret', { grant_type: 'client_credentials', client_secret: 'x' }, {}, refusal('invalid_client', 'invalid client credentials')],
    ['wrong client', { grant_type: 'client_credentials', client_id: 'x' }, {}, refusal('invalid_client_id', 'client identifier invalid')],
    [
      'no run-as user',
      { grant_type: 'client_credentials' },
      { apps: [{ runAs: undefined }] },
      refusal('invalid_grant', 'no client credentials user enabled'),
    ],
    ['unknown grant', { grant_type: 'magic' }, {}, refusal('unsupported_grant_type', 'grant type not supported')],
    ['no grant', {}, {}, refusal('invalid_request', 'grant type is missing')],
    [
      'unknown refresh token',
      { grant_type: 'refresh_token', refresh_token: 'x' },
      {},
      refusal('invalid_grant', 'expired access/refresh token'),
    ],
    ['inactive user', { grant_type: 'client_credentials' }, { users: [{ active: false }] }, refusal('invalid_grant', 'inactive user')],
  ])('refuses: %s', async (_name, form, options, expected) => {
    const { org } = setUp(options as MockOrgOptions)
    const { status, reply } = await token(org, { ...app(org), ...form } as Record<string, string>)
    expect({ status, reply }).toEqual(expected)
    expect(org.inspect.logins).toBe(0)
  })

  it('S33 takes client credentials by HTTP Basic, on My Domain only', async () => {
    const { org } = setUp()
    const { client_id, client_secret } = app(org)
    const headers = { Authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` }
    expect((await token(org, { grant_type: 'client_credentials' }, org.url, headers)).status).toBe(200)
    for (const host of ['https://login.salesforce.com', 'https://test.salesforce.com']) {
      const { status, reply } = await token(org, { grant_type: 'client_credentials' }, host, headers)
      expect({ status, reply }).toEqual(refusal('invalid_grant', 'request not supported on this domain'))
    }
  })

  it('S29 refreshes without a new refresh token, or rotates it when the switch says so', async () => {
    const { org } = setUp()
    const first = org.credentials.refreshToken
    const form = { grant_type: 'refresh_token', ...app(org) }
    expect((await token(org, { ...form, refresh_token: first })).reply).not.toHaveProperty('refresh_token')
    org.faults.scenario('S29')
    const [one, two] = await Promise.all([token(org, { ...form, refresh_token: first }), token(org, { ...form, refresh_token: first })])
    expect([one.status, two.status]).toEqual([200, 400])
    expect(two.reply.error_description).toBe('expired access/refresh token')
    expect((await token(org, { ...form, refresh_token: one.reply.refresh_token })).status).toBe(200)
  })

  it('keeps five refresh tokens for a user and app, and drops the oldest in silence', async () => {
    const { org } = setUp()
    const tokens = Array.from({ length: 6 }, () => org.credentials.refreshToken)
    const results = []
    for (const refresh_token of tokens) results.push((await token(org, { grant_type: 'refresh_token', ...app(org), refresh_token })).status)
    expect(results).toEqual([400, 200, 200, 200, 200, 200])
  })

  it('verifies JWT assertions: signature, audience, lifetime, user', async () => {
    const { org, clock } = setUp({ users: [{}, { username: 'stranger@acme.example', approved: false }] })
    const key = await importPKCS8(await org.jwtKey(), 'RS256')
    const other = await importPKCS8(await setUp().org.jwtKey(), 'RS256')
    const assertion = (claims: Record<string, unknown> = {}, signer = key): Promise<string> => {
      const now = Math.floor(clock.now() / 1_000)
      const all = {
        iss: org.credentials.clientId,
        sub: org.credentials.username,
        aud: 'https://login.salesforce.com',
        exp: now + 180,
        ...claims,
      }
      return new SignJWT(all).setProtectedHeader({ alg: 'RS256' }).sign(signer)
    }
    const answer = async (text: string) => {
      const { status, reply } = await token(
        org,
        { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: text },
        org.loginUrl,
      )
      return status === 200 ? 200 : `${reply.error}: ${reply.error_description}`
    }
    const now = Math.floor(clock.now() / 1_000)
    expect(await answer(await assertion())).toBe(200)
    expect(await answer(await assertion({ aud: org.url }))).toBe(200)
    expect(await answer(await assertion({ aud: 'https://elsewhere.example' }))).toBe('invalid_grant: audience is invalid')
    expect(await answer(await assertion({ exp: now - 1 }))).toBe('invalid_grant: invalid assertion')
    expect(await answer(await assertion({ exp: now + 3_600 }))).toBe('invalid_grant: invalid assertion')
    expect(await answer(await assertion({}, other))).toBe('invalid_grant: invalid assertion')
    expect(await answer(await assertion({ iss: 'x' }))).toBe('invalid_client_id: client identifier invalid')
    expect(await answer(await assertion({ sub: 'stranger@acme.example' }))).toBe("invalid_grant: user hasn't approved this consumer")
    expect(await answer('nonsense')).toBe('invalid_grant: invalid assertion')
  })

  it('gives an authorization code once, bound to its PKCE verifier', async () => {
    const { org, clock } = setUp()
    const redirect_uri = 'http://localhost:1717/OauthRedirect'
    const verifier = 'v'.repeat(64)
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)))
    const code_challenge = btoa(String.fromCharCode(...digest))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/=+$/, '')
    const authorize = async () => {
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: org.credentials.clientId,
        redirect_uri,
        state: 'a b',
        code_challenge,
        code_challenge_method: 'S256',
      })
      const response = await org.fetch(`${org.loginUrl}/services/oauth2/authorize?${query}`, { redirect: 'manual' })
      expect(response.status).toBe(302)
      return new URL(response.headers.get('location')!).searchParams
    }
    const exchange = (code: string, code_verifier = verifier) =>
      token(org, { grant_type: 'authorization_code', ...app(org), code, redirect_uri, code_verifier }, org.loginUrl)
    const answer = await authorize()
    expect(answer.get('state')).toBe('a b')
    const code = answer.get('code')!
    expect(code).toMatch(/==$/)
    expect((await exchange(code, 'wrong')).reply).toEqual({ error: 'invalid_grant', error_description: 'invalid code verifier' })
    const { status, reply } = await exchange(code)
    expect(status).toBe(200)
    expect(reply.refresh_token).toMatch(/^5Aep861/)
    expect((await exchange(code)).reply.error_description).toBe('expired authorization code')
    const late = (await authorize()).get('code')!
    await clock.advance(900_000)
    expect((await exchange(late)).reply.error_description).toBe('expired authorization code')
    expect((await exchange('x')).reply.error_description).toBe('invalid authorization code')
    org.faults.denyAuthorization()
    expect((await authorize()).get('error')).toBe('access_denied')
  })

  it('S34 polls the device flow: pending, slow_down, approved, denied, expired', async () => {
    const { org, clock } = setUp()
    const client_id = org.credentials.clientId
    const begin = async () => (await token(org, { response_type: 'device_code', client_id }, org.loginUrl)).reply
    const poll = async (code: string) => (await token(org, { grant_type: 'device', client_id, code }, org.loginUrl)).reply
    const device = await begin()
    expect(device).toMatchObject({ verification_uri: `${org.loginUrl}/setup/connect`, interval: 5 })
    expect((await poll(device.device_code)).error).toBe('authorization_pending')
    expect((await poll(device.device_code)).error).toBe('slow_down')
    await clock.advance(5_000)
    org.answerDevice(device.user_code, true)
    expect((await poll(device.device_code)).access_token).toContain('!')
    const second = await begin()
    org.answerDevice(second.user_code, false)
    expect((await poll(second.device_code)).error).toBe('access_denied')
    const third = await begin()
    await clock.advance(600_000)
    expect((await poll(third.device_code)).error_description).toBe('expired device code')
  })
})

describe('SOAP login', () => {
  const login = async (
    org: MockOrg,
    username: string,
    password: string,
    version = '46.0',
    headers: Record<string, string> = { SOAPAction: "''" },
  ) => {
    const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
    const body = `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:urn="urn:partner.soap.sforce.com"><soapenv:Body><urn:login><urn:username>${username}</urn:username><urn:password>${escaped(password)}</urn:password></urn:login></soapenv:Body></soapenv:Envelope>`
    const response = await org.fetch(`${org.loginUrl}/services/Soap/u/${version}`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'text/xml', ...headers },
    })
    return { status: response.status, text: await response.text() }
  }

  it('gives a session id that opens CometD', async () => {
    const { org } = setUp({ users: [{ password: 'a&b<c' }] })
    const { username, password, securityToken } = org.credentials
    const { status, text } = await login(org, username, password + securityToken)
    expect(status).toBe(200)
    expect(text).toContain(`<serverUrl>${org.url}/services/Soap/u/46.0/${org.orgId}</serverUrl>`)
    const sessionId = /<sessionId>(.*?)<\/sessionId>/.exec(text)![1]!
    expect(await rawClient(org, { token: sessionId }).handshake()).toMatchObject({ successful: true })
  })

  it('refuses versions without login(), requests without SOAPAction, and passwords without the security token', async () => {
    const { org } = setUp()
    const { username, password, securityToken } = org.credentials
    const word = password + securityToken
    const code = async (...more: [version?: string, headers?: Record<string, string>]) => {
      const { status, text } = await login(org, username, word, ...more)
      return `${status} ${/<faultcode>(.*?)<\/faultcode>/.exec(text)?.[1]}`
    }
    expect(await code('64.0')).toBe('200 undefined')
    expect(await code('65.0')).toBe('500 sf:INVALID_OPERATION')
    expect(await code('30.0')).toBe('500 sf:UNSUPPORTED_API_VERSION')
    expect(await code('64.0', {})).toBe('500 soapenv:Client')
    expect((await login(org, username, password)).text).toContain('<faultcode>sf:LOGIN_MUST_USE_SECURITY_TOKEN</faultcode>')
  })

  it('S36 fails with HTTP 500 and a fault', async () => {
    const { org } = setUp()
    const { status, text } = await login(org, 'user@acme.example', 'wrong')
    expect(status).toBe(500)
    expect(text).toContain('<faultcode>sf:INVALID_LOGIN</faultcode>')
    expect(text).toContain('INVALID_LOGIN: Invalid username, password, security token; or user locked out.')
  })
})

describe('identity', () => {
  it('answers userinfo, and refuses with 403 and plain text', async () => {
    const { org } = setUp()
    const ask = async (authorization?: string) => {
      const response = await org.fetch(
        `${org.url}/services/oauth2/userinfo`,
        authorization ? { headers: { Authorization: authorization } } : {},
      )
      return { status: response.status, text: await response.text() }
    }
    const { accessToken } = org.session()
    expect(JSON.parse((await ask(`Bearer ${accessToken}`)).text)).toMatchObject({
      organization_id: expect.stringMatching(new RegExp(`^${org.orgId}\\w{3}$`)),
      preferred_username: org.credentials.username,
    })
    expect(await ask()).toEqual({ status: 403, text: 'Missing_OAuth_Token' })
    expect(await ask(`Bearer ${org.orgId}!x`)).toEqual({ status: 403, text: 'Bad_OAuth_Token' })
    expect(await ask('Bearer 00D000000000000!x')).toEqual({ status: 403, text: 'Wrong_Org' })
  })

  it('introspects and revokes', async () => {
    const { org, clock } = setUp()
    const { accessToken } = org.session()
    const post = (path: string, form: Record<string, string>) =>
      org.fetch(`${org.url}/services/oauth2/${path}`, { method: 'POST', body: new URLSearchParams(form) })
    const introspect = async () => (await post('introspect', { token: accessToken, ...app(org) })).json()
    expect(await introspect()).toMatchObject({ active: true, exp: Math.floor(clock.now() / 1_000) + 7_200 })
    const revoked = await post('revoke', { token: accessToken })
    expect([revoked.status, await revoked.text()]).toEqual([200, ''])
    expect(await introspect()).toEqual({ active: false })
    expect((await post('introspect', { token: accessToken })).status).toBe(401)
  })

  it('lets a token die two hours after its last use', async () => {
    const { org, clock } = setUp()
    const { accessToken } = org.session()
    const limits = async () =>
      (await org.fetch(`${org.url}/services/data/v66.0/limits`, { headers: { Authorization: `Bearer ${accessToken}` } })).status
    await clock.advance(7_199_999)
    expect(await limits()).toBe(200)
    await clock.advance(7_199_999)
    expect(await limits()).toBe(200)
    await clock.advance(7_200_000)
    expect(await limits()).toBe(401)
  })
})
