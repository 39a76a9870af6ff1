import { createMockOrg, type MockOrg, virtualClock } from '@sfstream/mock-org'
import fc from 'fast-check'
import { importPKCS8, SignJWT } from 'jose'
import { expect, test } from 'vitest'

/** Text that some part of the org may choke on: escapes, entities, names of every object, what is long, deep or no Unicode. */
const strange = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  fc.constantFrom(
    '',
    '%',
    '%E0%A4%A',
    '%00',
    '\u0000',
    '\ud800',
    '\u0001123',
    'constructor',
    '__proto__',
    'toString',
    '../../..',
    '?&=#',
    "O'Brien\\",
    '&#9999999999;',
    '&#x110000;',
    '&#X41;',
    '&LT;&amp;lt;',
    '<![CDATA[x]]>',
    'a.b.c',
    'Bearer',
    'Basic %%%',
    `Basic ${'QUJD'.repeat(3)}=`,
    '-2',
    '9'.repeat(400),
    '['.repeat(15_000) + ']'.repeat(15_000),
    '"\\'.repeat(200),
  ),
)

/** A value for a header: what a client's own runtime lets through. */
const header = strange.map((text) => text.replace(/[^\x20-\x7e]/g, '').trim())

const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS')

const grantTypes = [
  'password',
  'refresh_token',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:ietf:params:oauth:grant-type:token-exchange',
  'authorization_code',
  'device',
]
const formNames = [
  'grant_type',
  'response_type',
  'client_id',
  'client_secret',
  'username',
  'password',
  'assertion',
  'code',
  'code_verifier',
  'redirect_uri',
  'refresh_token',
  'scope',
  'subject_token',
  'subject_token_type',
  'token',
  'format',
]

function org(): MockOrg {
  return createMockOrg({ clock: virtualClock(), corsOrigins: ['https://app.example'] })
}

/** Every request has an answer of the org's own making: SOAP says what is wrong with 500, nothing else does. */
async function answered(one: MockOrg, url: string, init: RequestInit = {}): Promise<Response> {
  const reply = await one.fetch(url, { redirect: 'manual', ...init })
  const text = await reply.text()
  if (reply.status >= 500) expect(text).toContain('<soapenv:Fault>')
  return reply
}

/** A reply to anything but a fault of the org's is one that its kind of client can read. */
test('the token endpoint answers whatever form it is sent', async () => {
  const acme = org()
  const right: Record<string, string> = {
    client_id: acme.credentials.clientId,
    client_secret: acme.credentials.clientSecret,
    username: acme.credentials.username,
    password: acme.credentials.password + acme.credentials.securityToken,
  }
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...grantTypes),
      fc.dictionary(fc.constantFrom(...formNames), strange, { maxKeys: 4 }),
      header,
      fc.constantFrom('https://login.salesforce.com', 'https://acme.my.salesforce.com'),
      async (grant_type, odd, authorization, host) => {
        const form = new URLSearchParams({ grant_type, ...right, ...odd })
        const reply = await answered(acme, `${host}/services/oauth2/token`, { method: 'POST', body: form, headers: { authorization } })
        expect([200, 400, 401]).toContain(reply.status)
        expect(reply.headers.get('content-type')).toMatch(/json/)
      },
    ),
    { numRuns: 400 },
  )
})

test('a signed assertion may claim anything', async () => {
  const acme = org()
  const key = await importPKCS8(await acme.jwtKey(), 'RS256')
  const claim = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant({ toString: 1 }), fc.constant([{ valueOf: 1, toString: 2 }]))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('sub', 'aud', 'exp', 'nbf', 'iat', 'jti'), claim, async (name, value) => {
      const claims = {
        iss: acme.credentials.clientId,
        sub: acme.credentials.username,
        aud: acme.loginUrl,
        exp: Math.floor(acme.clock.now() / 1_000) + 100,
        [name]: value,
      }
      const assertion = await new SignJWT(claims as never).setProtectedHeader({ alg: 'RS256' }).sign(key)
      const body = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion })
      expect([200, 400]).toContain((await answered(acme, `${acme.loginUrl}/services/oauth2/token`, { method: 'POST', body })).status)
    }),
    { numRuns: 100 },
  )
})

test('SOAP login answers whatever stands in the envelope with a login or a fault', async () => {
  const acme = org()
  await fc.assert(
    fc.asyncProperty(
      strange,
      strange,
      fc.oneof(fc.constantFrom('64.0', '46.0'), strange),
      strange,
      async (username, password, version, more) => {
        const body = `<e><urn:username>${username}</urn:username><urn:password>${password}</urn:password></e>${more}`
        const url = `${acme.loginUrl}/services/Soap/u/${encodeURIComponent(wellFormed(version))}`
        const reply = await answered(acme, url, { method: 'POST', body, headers: { SOAPAction: "''" } })
        if (['64.0', '46.0'].includes(version)) expect(reply.status).toBe(500)
      },
    ),
    { numRuns: 300 },
  )
})

test('every address answers every method, query, header and body', async () => {
  const acme = org()
  const address = fc.constantFrom(
    '/services/oauth2/authorize',
    '/services/oauth2/userinfo',
    '/services/oauth2/revoke',
    '/services/oauth2/introspect',
    '/services/oauth2/id/keys',
    '/.well-known/openid-configuration',
    '/services/data',
    '/services/data/v66.0/',
    '/services/data/v66.0/limits',
    '/services/data/v66.0/query',
    '/services/data/v66.0/sobjects/Low_Ink__e',
    '/services/data/v66.0/sobjects/Low_Ink__e/eventSchema',
    '/services/data/v66.0/event/eventSchema/x',
    '/services/data/v66.0/sobjects/StreamingChannel/x/push',
    '/cometd',
    '/cometd/66.0',
    '/cometd/66.0/handshake',
    '/services/Soap/u/64.0',
    '/',
  )
  const token = `Bearer ${acme.session().accessToken}`
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(address, fc.option(strange, { nil: '' })),
      method,
      fc.dictionary(fc.constantFrom('q', 'payloadFormat', 'token', 'client_id', 'redirect_uri', 'code_challenge', 'state'), strange, {
        maxKeys: 3,
      }),
      fc.record(
        { authorization: header, origin: fc.constantFrom('https://app.example', 'null', ''), cookie: header, soapaction: header },
        { requiredKeys: [] },
      ),
      strange,
      async ([path, more], verb, query, headers, body) => {
        const url = `${acme.url}${path}${more === '' ? '' : `/${encodeURI(wellFormed(more)).replace(/[?#]/g, '')}`}?${new URLSearchParams(query)}`
        const withBody = verb === 'GET' || verb === 'HEAD' ? {} : { body }
        await answered(acme, url, { method: verb, headers: { authorization: token, ...headers }, ...withBody })
      },
    ),
    { numRuns: 1_500 },
  )
})

test('what nests thousands of levels deep is refused where it comes in, and reaches no subscriber', async () => {
  const acme = org()
  const headers = { authorization: `Bearer ${acme.session().accessToken}`, 'content-type': 'application/json' }
  // A hundred levels are more than anything of a client's has; thousands could be read, and not written again.
  const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`
  const post = (path: string, body: string) => answered(acme, acme.url + path, { method: 'POST', headers, body })
  for (const levels of [200, 12_000]) {
    expect((await post('/cometd/66.0', `[{"channel":"/meta/handshake","id":${nested(levels)}}]`)).status).toBe(400)
    expect((await post('/services/data/v66.0/sobjects/Order_Event__e', `{"A__c":${nested(levels)}}`)).status).toBe(400)
  }
  expect(acme.inspect.published('/event/Order_Event__e')).toEqual([])
})

test('a body of nothing but broken quotes is refused at once', async () => {
  const acme = org()
  // Read from every quote anew, it would take minutes.
  const reply = await answered(acme, `${acme.url}/cometd/66.0`, { method: 'POST', body: `["${'\\"'.repeat(100_000)}` })
  expect(reply.status).toBe(413)
})

/** Half a surrogate pair cannot stand in a URL. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/g, '')
}

test('redirects in a circle end as those of a real fetch do, and an abort ends one that waits behind a redirect', async () => {
  const acme = org()
  const around = { on: 'versions', kind: 'http', status: 302, headers: { Location: '/services/data/' } } as const
  const undo = acme.faults.next({ ...around, times: Number.POSITIVE_INFINITY })
  await expect(acme.fetch(`${acme.url}/services/data/`)).rejects.toThrow(TypeError)
  expect(acme.inspect.requests).toHaveLength(21)
  undo()
  acme.faults.next(around)
  acme.faults.next({ on: 'versions', kind: 'hold' })
  const stop = new AbortController()
  const waiting = acme.fetch(`${acme.url}/services/data/`, { signal: stop.signal })
  await expect.poll(() => acme.inspect.requests.length).toBe(23)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})
