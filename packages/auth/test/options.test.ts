import { inspect } from 'node:util'
import { accessToken, authorizationCode, clientCredentials, deviceFlow, jwtBearer, password, refreshToken, soapLogin } from '@sfstream/auth'
import { AuthenticationError } from '@sfstream/core'
import { expect, test } from 'vitest'
import { keys, logins } from './flows.ts'

const thrown = (make: () => unknown): AuthenticationError => {
  try {
    make()
  } catch (error) {
    if (error instanceof AuthenticationError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const loginUrl = 'https://acme.my.salesforce.com'
const factories: [string, (options: never) => unknown, Record<string, unknown>, string[]][] = [
  [
    'password',
    password,
    { username: 'u', password: 'p', clientId: 'i', clientSecret: 's' },
    ['username', 'password', 'clientId', 'clientSecret'],
  ],
  ['refreshToken', refreshToken, { refreshToken: 'r', clientId: 'i' }, ['refreshToken', 'clientId']],
  ['clientCredentials', clientCredentials, { loginUrl, clientId: 'i', clientSecret: 's' }, ['clientId', 'clientSecret']],
  ['jwtBearer', jwtBearer, { clientId: 'i', username: 'u', privateKey: keys.pkcs8 }, ['clientId', 'username', 'privateKey']],
  ['authorizationCode', authorizationCode, { clientId: 'i', redirectUri: 'https://app.example/' }, ['clientId', 'redirectUri']],
  ['deviceFlow', deviceFlow, { clientId: 'i', onCode: () => {} }, ['clientId']],
  ['soapLogin', soapLogin, { username: 'u', password: 'p' }, ['username', 'password']],
  ['accessToken', accessToken, { accessToken: 't', instanceUrl: loginUrl }, ['accessToken', 'instanceUrl']],
]

for (const [name, make, options, fields] of factories) {
  test.each([undefined, null, 'token'])(`${name}(%j) is missing a credential`, (nothing) => {
    expect(thrown(() => make(nothing as never)).code).toBe('missing_credential')
  })

  test.each(fields)(`P3 ${name} without %s names it`, (field) => {
    for (const value of [undefined, '']) {
      const error = thrown(() => make({ ...options, [field]: value } as never))
      expect(error.code).toBe('missing_credential')
      expect(error.message).toContain(`\`${field}\``)
    }
  })
}

test.each([
  ['not-a-url', 'not a URL'],
  ['/callback', 'not a URL'],
  ['https://app.example/callback#x', 'fragment'],
  ['http://app.example/callback', 'http:'],
  ['https://amy:hunter2@app.example/', 'credentials'],
  ['javascript:alert(1)', 'javascript:'],
])('the redirectUri %s is refused at construction', (redirectUri, words) => {
  const error = thrown(() => authorizationCode({ clientId: 'i', redirectUri }))
  expect(error).toMatchObject({ code: 'bad_option', message: expect.stringContaining(words) })
  expect(inspect(error)).not.toContain('hunter2')
})

test.each(['http://localhost:1717/OauthRedirect', 'http://127.0.0.1:1717/', 'myapp://callback', new URL('https://app.example/a?b=c')])(
  'the redirectUri %s is taken',
  (redirectUri) => {
    authorizationCode({ clientId: 'i', redirectUri })
  },
)

test('deviceFlow without onCode is refused at construction', () => {
  for (const onCode of [undefined, 'print']) expect(thrown(() => deviceFlow({ clientId: 'i', onCode } as never)).code).toBe('bad_option')
})

test('P3 an empty client secret of refreshToken is refused, none is not', () => {
  refreshToken({ refreshToken: 'r', clientId: 'i' })
  expect(thrown(() => refreshToken({ refreshToken: 'r', clientId: 'i', clientSecret: ' ' })).code).toBe('missing_credential')
})

test.each(logins)('P8 $name refuses sandbox together with loginUrl', (flow) => {
  if (flow.name === 'clientCredentials')
    return expect(thrown(() => clientCredentials({ clientId: 'i', clientSecret: 's' } as never)).code).toBe('bad_login_url')
  expect(thrown(() => flow.make({ loginUrl, sandbox: true })).code).toBe('bad_option')
})

test.each(['https://login.salesforce.com', 'https://test.salesforce.com/', new URL('https://login.salesforce.com')])(
  'P9 S33 client credentials at %s are refused',
  (url) => {
    const error = thrown(() => clientCredentials({ loginUrl: url, clientId: 'i', clientSecret: 's' }))
    expect(error).toMatchObject({ code: 'bad_login_url', remediation: expect.stringContaining('My Domain') })
  },
)

test.each([
  ['https://acme.lightning.force.com/lightning/page/home', 'https://acme.my.salesforce.com'],
  ['https://acme.my.salesforce-setup.com/lightning/setup', 'My Domain'],
  ['http://acme.my.salesforce.com', 'loopback'],
  ['http://localhost.evil.example', 'loopback'],
  ['acme.my.salesforce.com', 'https://acme.my.salesforce.com'],
  ['my secret !', 'My Domain'],
  ['ftp://acme.my.salesforce.com', 'My Domain'],
  ['https://amy:hunter2@acme.my.salesforce.com', 'never in a URL'],
])('%s is no login URL and no instance', (url, remediation) => {
  for (const flow of logins) {
    expect(thrown(() => flow.make({ loginUrl: url }))).toMatchObject({
      code: 'bad_login_url',
      remediation: expect.stringContaining(remediation),
    })
  }
  expect(thrown(() => accessToken({ accessToken: 't', instanceUrl: url }))).toMatchObject({
    code: 'bad_instance_url',
    remediation: expect.stringContaining(remediation),
  })
})

test.each(['http://localhost:8080', 'http://127.0.0.1:9', 'http://[::1]:9', 'http://org.localhost:1'])('%s may be http', (url) => {
  for (const flow of logins) flow.make({ loginUrl: url })
  accessToken({ accessToken: 't', instanceUrl: url })
})

test('what stands in the wrong field is not repeated', () => {
  const secret = '00Dxx0000001gER!AR8AQF.hunter2'
  for (const value of [
    secret,
    `https://amy:${secret}@acme.my.salesforce.com`,
    `https://acme.lightning.force.com/?sid=${secret}`,
    `x.com?${secret}`,
  ]) {
    for (const make of [
      () => accessToken({ accessToken: 't', instanceUrl: value }),
      () => password({ username: 'u', password: 'p', clientId: 'i', clientSecret: 's', loginUrl: value }),
    ]) {
      expect(inspect(thrown(make), { showHidden: true, depth: null })).not.toContain('hunter2')
    }
  }
})

test('S31 a JWT as access token is refused at once, and not repeated', () => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'
  const error = thrown(() => accessToken({ accessToken: token, instanceUrl: loginUrl }))
  expect(error.code).toBe('jwt_access_token')
  expect(inspect(error)).not.toContain('eyJ')
})

test.each(['Bearer 00Dxx!t', '00Dxx!t\n', '"00Dxx" ', '00Dxx\u00e9'])('an access token that cannot be a header is refused: %j', (token) => {
  const error = thrown(() => accessToken({ accessToken: token, instanceUrl: loginUrl }))
  expect(error.code).toBe('bad_option')
  expect(inspect(error)).not.toContain(token)
})

test.each([
  ['encrypted', keys.encrypted, 'encrypted'],
  [
    'legacy encrypted',
    '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\nAAAA\n-----END RSA PRIVATE KEY-----',
    'encrypted',
  ],
  ['a path', './server.key', 'not PEM'],
  ['a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', 'certificate'],
  ['an EC key', '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----', 'ec private key'],
])('a private key that is %s is refused at construction', (_, privateKey, words) => {
  const error = thrown(() => jwtBearer({ clientId: 'i', username: 'u', privateKey }))
  expect(error).toMatchObject({ code: 'bad_option', message: expect.stringContaining(words) })
})
