import { clientCredentials, password, refreshToken } from '@sfstream/auth'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { flows, granted, logins } from './flows.ts'
import { context, failure, instance, scriptedPlatform, tokenReply } from './scripted-platform.ts'

const hosts = [
  ['production', {}, 'https://login.salesforce.com/services/oauth2/token'],
  ['sandbox', { sandbox: true }, 'https://test.salesforce.com/services/oauth2/token'],
  ['My Domain', { loginUrl: 'https://acme.my.salesforce.com' }, 'https://acme.my.salesforce.com/services/oauth2/token'],
  [
    'sandbox My Domain',
    { loginUrl: 'https://acme--uat.sandbox.my.salesforce.com/' },
    'https://acme--uat.sandbox.my.salesforce.com/services/oauth2/token',
  ],
  [
    'Experience Cloud',
    { loginUrl: new URL('https://acme.my.site.com/partners/') },
    'https://acme.my.site.com/partners/services/oauth2/token',
  ],
  [
    'a pasted page',
    { loginUrl: 'https://acme.my.salesforce.com/home/home.jsp?x=1#y' },
    'https://acme.my.salesforce.com/services/oauth2/token',
  ],
  ['a pasted endpoint', { loginUrl: 'https://sso.acme.com/services/oauth2/token' }, 'https://sso.acme.com/services/oauth2/token'],
  ['loopback', { loginUrl: 'http://127.0.0.1:8080' }, 'http://127.0.0.1:8080/services/oauth2/token'],
] as const

for (const flow of [...flows, ...granted]) {
  for (const [name, host, url] of hosts) {
    if (flow.name === 'clientCredentials' && !('loginUrl' in host)) continue
    test(`P1 P8 ${flow.name} posts to the token endpoint of ${name}`, async () => {
      const scripted = scriptedPlatform(tokenReply('00Dxx!token'))
      const session = await flow.make(host).getSession(context(scripted))
      expect(session).toEqual({ accessToken: '00Dxx!token', instanceUrl: instance })
      expect(scripted.seen.map((request) => [request.method, request.url.href])).toEqual([['POST', url]])
    })
  }

  test(`P2 ${flow.name} sends a urlencoded form that asks for JSON, follows no redirect and leaves no timer`, async () => {
    const scripted = scriptedPlatform(tokenReply('00Dxx!token'))
    await flow.make().getSession(context(scripted))
    const [request] = scripted.seen
    expect(request?.headers.get('accept')).toBe('application/json')
    expect(request?.headers.get('content-type')).toBe('application/x-www-form-urlencoded')
    expect(request?.headers.has('authorization')).toBe(false)
    expect(request?.init.redirect).toBe('manual')
    expect(request?.form.grant_type).toBe(flow.grant)
    expect(scripted.timers()).toBe(0)
  })
}

test('P2 the password form holds exactly its five fields, the security token appended to the password', async () => {
  const scripted = scriptedPlatform(tokenReply('t1'))
  const options = { username: 'amy@acme.com', password: 'p&ss=1', clientId: 'id', clientSecret: 'secret' }
  await password({ ...options, securityToken: 'Tok+1' }).getSession(context(scripted))
  await password(options).getSession(context(scripted))
  const fields = { grant_type: 'password', client_id: 'id', client_secret: 'secret', username: 'amy@acme.com' }
  expect(scripted.seen.map((request) => request.form)).toEqual([
    { ...fields, password: 'p&ss=1Tok+1' },
    { ...fields, password: 'p&ss=1' },
  ])
})

test('P2 the refresh form holds exactly its fields, the client secret only where there is one', async () => {
  const scripted = scriptedPlatform(tokenReply('t1'))
  await refreshToken({ refreshToken: '5Aep', clientId: 'id', clientSecret: 'secret' }).getSession(context(scripted))
  await refreshToken({ refreshToken: '5Aep', clientId: 'id' }).getSession(context(scripted))
  expect(scripted.seen.map((request) => request.form)).toEqual([
    { grant_type: 'refresh_token', client_id: 'id', client_secret: 'secret', refresh_token: '5Aep' },
    { grant_type: 'refresh_token', client_id: 'id', refresh_token: '5Aep' },
  ])
})

test('P9 the client credentials form holds exactly its three fields', async () => {
  const scripted = scriptedPlatform(tokenReply('t1'))
  await clientCredentials({ loginUrl: instance, clientId: 'id', clientSecret: 'secret' }).getSession(context(scripted))
  expect(scripted.seen[0]?.form).toEqual({ grant_type: 'client_credentials', client_id: 'id', client_secret: 'secret' })
})

test('P13 S30 the instance of each reply counts, without its path', async () => {
  const scripted = scriptedPlatform(
    tokenReply('t1', { instance_url: 'https://eu1.my.salesforce.com/' }),
    tokenReply('t2', { instance_url: 'https://eu2.my.salesforce.com' }),
  )
  const provider = clientCredentials({ loginUrl: instance, clientId: 'id', clientSecret: 'secret' })
  const first = await provider.getSession(context(scripted))
  const second = await provider.getSession({ ...context(scripted), rejected: first })
  expect([first.instanceUrl, second.instanceUrl]).toEqual(['https://eu1.my.salesforce.com', 'https://eu2.my.salesforce.com'])
})

test.each([
  ['a JWT as access token', { access_token: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln' }, 'jwt_access_token'],
  ['an http instance', { instance_url: 'http://acme.my.salesforce.com' }, 'bad_instance_url'],
  ['a Lightning instance', { instance_url: 'https://acme.lightning.force.com' }, 'bad_instance_url'],
  ['an instance that is no URL', { instance_url: 'acme' }, 'bad_instance_url'],
])('S31 refuses a reply with %s', async (_, fields, code) => {
  const scripted = scriptedPlatform(tokenReply('t1', fields))
  const error = await failure(clientCredentials({ loginUrl: instance, clientId: 'id', clientSecret: 's' }).getSession(context(scripted)))
  expect(error).toMatchObject({ name: 'AuthenticationError', code, retryable: false })
})

test('accepts an instance on loopback', async () => {
  const scripted = scriptedPlatform(tokenReply('t1', { instance_url: 'http://localhost:9000' }))
  const session = await clientCredentials({ loginUrl: instance, clientId: 'id', clientSecret: 's' }).getSession(context(scripted))
  expect(session.instanceUrl).toBe('http://localhost:9000')
})

test('whatever path `loginUrl` has, credentials go to its host or nowhere', async () => {
  const path = fc.oneof(fc.string(), fc.webPath(), fc.stringMatching(/^[\\/:@.a-z?#]{1,12}$/), fc.constant('//evil.example/x'))
  await fc.assert(
    fc.asyncProperty(path, async (path) => {
      for (const flow of logins) {
        const scripted = scriptedPlatform(tokenReply('t1'))
        try {
          await flow.make({ loginUrl: `https://acme.my.site.com/${path}` }).getSession(context(scripted))
        } catch (error) {
          expect(error).toMatchObject({ name: 'AuthenticationError' })
        }
        for (const { url } of scripted.seen) expect(url.origin).toBe('https://acme.my.site.com')
      }
    }),
    { numRuns: 60, examples: [['/evil.example'], ['\\evil.example'], ['/evil.example/services/oauth2/token']] },
  )
})
