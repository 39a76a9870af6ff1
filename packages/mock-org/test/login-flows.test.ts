import {
  createMockOrg,
  type MockOrg,
  type MockOrgOptions,
  type SubjectToken,
  type TokenExchangeAnswer,
  virtualClock,
} from '@sfstream/mock-org'
import { createLocalJWKSet, importPKCS8, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { rawClient } from './raw-client.ts'

function setUp(options: MockOrgOptions = {}) {
  const clock = virtualClock()
  return { clock, org: createMockOrg({ clock, ...options }) }
}

async function token(org: MockOrg, form: Record<string, string>) {
  const { clientId: client_id, clientSecret: client_secret } = org.credentials
  const body = new URLSearchParams({ client_id, client_secret, ...form })
  const reply = await org.fetch(`${org.url}/services/oauth2/token`, { method: 'POST', body })
  return { status: reply.status, reply: (await reply.json()) as Record<string, string> }
}

async function authorize(org: MockOrg, more: Record<string, string>): Promise<URL> {
  const redirect_uri = 'http://localhost:1717/OauthRedirect'
  const query = new URLSearchParams({ client_id: org.credentials.clientId, redirect_uri, ...more })
  const reply = await org.fetch(`${org.loginUrl}/services/oauth2/authorize?${query}`, { redirect: 'manual' })
  return new URL(reply.headers.get('location')!)
}

const refusal = (error: string, error_description: string, status = 400) => ({ status, reply: { error, error_description } })

describe('token exchange', () => {
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const subject = { grant_type: exchange, subject_token: 'theirs', subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }
  const handled = (answer: (subject: SubjectToken) => TokenExchangeAnswer, more: MockOrgOptions = {}) =>
    setUp({ apps: [{ tokenExchange: answer }], ...more })

  it('logs in whom the handler names, with a refresh token where the scope has it, and the token opens CometD', async () => {
    const seen: SubjectToken[] = []
    const { org } = handled((one) => {
      seen.push(one)
      return 'user@acme.example'
    })
    const { status, reply } = await token(org, { ...subject, token_handler: 'My_Handler' })
    expect([status, reply.scope]).toEqual([200, 'api refresh_token'])
    expect(reply.refresh_token).toMatch(/^5Aep861/)
    expect(seen).toEqual([{ token: 'theirs', type: subject.subject_token_type, handler: 'My_Handler' }])
    expect(await rawClient(org, { token: reply.access_token! }).handshake()).toMatchObject({ successful: true })
    const hybrid = { ...subject, grant_type: 'urn:ietf:params:oauth:grant-type:hybrid-token-exchange', scope: 'api' }
    expect((await token(org, hybrid)).reply).toMatchObject({ scope: 'api', token_type: 'Bearer' })
    expect((await token(org, hybrid)).reply).not.toHaveProperty('refresh_token')
  })

  it('is a grant that an app without a handler does not have', async () => {
    const { org } = setUp()
    expect(await token(org, subject)).toEqual(refusal('unsupported_grant_type', 'grant type not supported'))
  })

  it.each<[string, Record<string, string>, TokenExchangeAnswer, string]>([
    ['no subject token', { subject_token: '' }, 'user@acme.example', 'invalid_request'],
    ['one of more than 10,000 characters', { subject_token: 'x'.repeat(10_001) }, 'user@acme.example', 'invalid_request'],
    ['a type of token that is none', { subject_token_type: 'jwt' }, 'user@acme.example', 'invalid_request'],
    ['what the handler knows nobody by', {}, undefined, 'invalid_grant'],
    ['what the handler refuses in words of its own', {}, { error: 'access_denied', error_description: 'no' }, 'access_denied'],
    ['a user that the org does not have', {}, 'nobody@acme.example', 'invalid_grant'],
    ['another secret', { client_secret: 'x' }, 'user@acme.example', 'invalid_client'],
  ])('refuses %s', async (_, form, answer, error) => {
    const { org } = handled(() => answer)
    expect(await token(org, { ...subject, ...form })).toMatchObject({ status: 400, reply: { error } })
    expect(org.inspect.logins).toBe(0)
  })

  it('refuses users that were not approved beforehand, as JWT bearer does, by the policy of the app', async () => {
    for (const [adminApproval, error] of [
      [false, refusal('invalid_grant', "user hasn't approved this consumer")],
      [true, refusal('invalid_app_access', 'user is not admin approved to access this app')],
    ] as const) {
      const { org, clock } = setUp({
        users: [{ approved: false }],
        apps: [{ adminApproval, tokenExchange: async () => 'user@acme.example' }],
      })
      expect(await token(org, subject)).toEqual(error)
      const key = await importPKCS8(await org.jwtKey(), 'RS256')
      const assertion = await new SignJWT({ exp: Math.floor(clock.now() / 1_000) + 100 })
        .setProtectedHeader({ alg: 'RS256' })
        .setIssuer(org.credentials.clientId)
        .setSubject(org.credentials.username)
        .setAudience(org.loginUrl)
        .sign(key)
      expect(await token(org, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion })).toEqual(error)
    }
  })
})

describe('openid', () => {
  it('brings an id token that the published keys verify, with the nonce of the authorize request', async () => {
    const { org, clock } = setUp()
    const found = await authorize(org, { response_type: 'code', scope: 'openid api', nonce: 'n1' })
    const form = {
      grant_type: 'authorization_code',
      code: found.searchParams.get('code')!,
      redirect_uri: 'http://localhost:1717/OauthRedirect',
    }
    const { reply } = await token(org, form)
    const metadata = (await (await org.fetch(`${org.url}/.well-known/openid-configuration`)).json()) as { jwks_uri: string; issuer: string }
    const keys = (await (await org.fetch(metadata.jwks_uri)).json()) as JSONWebKeySet
    expect(keys.keys[0]).not.toHaveProperty('d')
    const { payload } = await jwtVerify(reply.id_token!, createLocalJWKSet(keys), {
      issuer: metadata.issuer,
      audience: org.credentials.clientId,
      currentDate: new Date(clock.now()),
    })
    expect(payload).toMatchObject({ sub: reply.id, nonce: 'n1' })
  })

  it('is needed for one', async () => {
    const { org } = setUp()
    expect((await token(org, { grant_type: 'client_credentials' })).reply).not.toHaveProperty('id_token')
  })
})

describe('the user-agent flow', () => {
  it('brings the login back in the fragment', async () => {
    const { org } = setUp()
    const found = await authorize(org, { response_type: 'token', state: 'a b' })
    expect(found.search).toBe('')
    const login = Object.fromEntries(new URLSearchParams(found.hash.slice(1)))
    expect(login).toMatchObject({ instance_url: org.url, token_type: 'Bearer', state: 'a b', refresh_token: expect.any(String) })
    expect(await rawClient(org, { token: login.access_token! }).handshake()).toMatchObject({ successful: true })
  })
})

describe('what an org may do either way', () => {
  const password = (org: MockOrg) => {
    const { username, password: word, securityToken } = org.credentials
    return token(org, { grant_type: 'password', username, password: word + securityToken })
  }

  it('blocks the password flow as if the password were wrong', async () => {
    const { org } = setUp({ switches: { passwordFlow: false } })
    expect(await password(org)).toEqual(refusal('invalid_grant', 'authentication failure'))
  })

  it('refuses a wrong secret with 401', async () => {
    const { org } = setUp({ switches: { invalidClientStatus: 401 } })
    const expected = refusal('invalid_client', 'invalid client credentials', 401)
    expect(await token(org, { grant_type: 'client_credentials', client_secret: 'x' })).toEqual(expected)
    expect(await token(org, { grant_type: 'refresh_token', client_secret: 'x' })).toEqual(expected)
  })

  it('answers the device flow with another status while it waits', async () => {
    const { org } = setUp({ switches: { deviceErrorStatus: 403 } })
    const { device_code } = (await token(org, { response_type: 'device_code' })).reply
    expect(await token(org, { grant_type: 'device', code: device_code! })).toMatchObject({
      status: 403,
      reply: { error: 'authorization_pending' },
    })
  })

  it('refuses a user who logs in too often, until the hour has passed', async () => {
    const { org, clock } = setUp({ limits: { hourlyLogins: 2 }, users: [{}, { username: 'bob@acme.example', securityToken: '' }] })
    for (let number = 0; number < 2; number += 1) expect((await password(org)).status).toBe(200)
    expect(await password(org)).toEqual(refusal('rate_limit_exceeded', 'login rate exceeded'))
    expect((await token(org, { grant_type: 'password', username: 'bob@acme.example', password: 'correct-horse' })).status).toBe(200)
    await clock.advance(3_600_000)
    expect((await password(org)).status).toBe(200)
  })

  it('says in a SOAP login how long the session lives', async () => {
    const { org } = setUp({ sessionTimeoutMs: 900_000 })
    const { username, password: word, securityToken } = org.credentials
    const reply = await org.fetch(`${org.loginUrl}/services/Soap/u/64.0`, {
      method: 'POST',
      headers: { SOAPAction: "''" },
      body: `<login><username>${username}</username><password>${[...(word + securityToken)].map((one) => `&#x${one.charCodeAt(0).toString(16).toUpperCase()};`).join('')}</password></login>`,
    })
    expect(await reply.text()).toContain('<sessionSecondsValid>900</sessionSecondsValid>')
  })
})

describe('an Experience Cloud site', () => {
  const siteUrl = 'https://acme.my.site.com/partners'

  it('takes logins under its path, says so in the reply, and has no CometD, no REST, and no client credentials', async () => {
    const { org } = setUp({ siteUrl, switches: { oauthCors: 'any' } })
    const { clientId: client_id, clientSecret: client_secret, username, password, securityToken } = org.credentials
    const ask = (path: string, form?: Record<string, string>) =>
      org.fetch(siteUrl + path, {
        headers: { Origin: 'https://app.example' },
        ...(form ? { method: 'POST', body: new URLSearchParams({ client_id, client_secret, ...form }) } : {}),
      })
    const login = await ask('/services/oauth2/token', { grant_type: 'password', username, password: password + securityToken })
    expect(login.headers.get('Access-Control-Allow-Origin')).toBe('https://app.example')
    expect(await login.json()).toMatchObject({
      instance_url: org.url,
      sfdc_community_url: siteUrl,
      sfdc_community_id: expect.stringMatching(/^0DB\w{15}$/),
    })
    expect(await (await ask('/services/oauth2/token', { grant_type: 'client_credentials' })).json()).toMatchObject({
      error_description: 'request not supported on this domain',
    })
    expect(await (await ask('/.well-known/openid-configuration')).json()).toMatchObject({
      token_endpoint: `${siteUrl}/services/oauth2/token`,
    })
    expect([(await ask('/cometd/66.0')).status, (await ask('/services/data/')).status]).toEqual([404, 404])
    expect((await org.fetch('https://acme.my.site.com/stranger/services/oauth2/userinfo')).status).toBe(404)
    expect(org.inspect.requests[0]).toMatchObject({ path: '/partners/services/oauth2/token', kinds: ['token'], grantType: 'password' })
  })

  it('is an audience of JWT assertions', async () => {
    const { org, clock } = setUp({ siteUrl })
    const key = await importPKCS8(await org.jwtKey(), 'RS256')
    const assertion = await new SignJWT({ exp: Math.floor(clock.now() / 1_000) + 100 })
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer(org.credentials.clientId)
      .setSubject(org.credentials.username)
      .setAudience(siteUrl)
      .sign(key)
    expect((await token(org, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion })).status).toBe(200)
  })

  it('is nowhere unless the org has one', async () => {
    const { org } = setUp()
    await expect(org.fetch(`${siteUrl}/services/oauth2/token`)).rejects.toThrow(TypeError)
  })
})
