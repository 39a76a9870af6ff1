import { inspect } from 'node:util'
import { clientCredentials } from '@sfstream/auth'
import { AuthenticationError } from '@sfstream/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { flows, logins } from './flows.ts'
import { type Answer, context, failure, refusal, type Seen, scriptedPlatform, tokenReply } from './scripted-platform.ts'

const html = (status: number): Response =>
  new Response('<!DOCTYPE html><html>sorry</html>', { status, headers: { 'content-type': 'text/html' } })

/** error, description, HTTP status, and a word its own remediation must contain. */
const refused: [error: string, description: string, status: number, remediation: string][] = [
  ['invalid_grant', 'authentication failure', 400, 'security token'],
  ['invalid_grant', 'expired access/refresh token', 400, 'authorize the app again'],
  ['invalid_grant', 'inactive user', 400, 'Activate the user'],
  ['invalid_grant', 'user is inactive', 400, 'Activate the user'],
  ['invalid_grant', 'inactive organization', 400, 'org is locked'],
  ['invalid_grant', 'ip restricted', 400, 'IP address'],
  ['invalid_grant', 'invalid login hours', 400, 'login hours'],
  ['invalid_grant', "user hasn't approved this consumer", 400, 'Pre-authorize'],
  ['invalid_app_access', 'user is not admin approved to access this app', 400, 'permission set'],
  ['invalid_grant', 'no client credentials user enabled', 400, 'Run As'],
  ['invalid_grant', 'request not supported on this domain', 400, 'My Domain'],
  ['invalid_grant', 'invalid assertion', 400, 'certificate'],
  ['invalid_grant', 'audience is invalid', 400, '`audience`'],
  ['invalid_grant', 'Audience validation failed', 400, '`audience`'],
  ['invalid_grant', 'activation secret invalid', 400, 'Verify the identity'],
  ['invalid_client_id', 'client identifier invalid', 400, '10 minutes'],
  ['invalid_client', 'invalid client credentials', 401, '`clientSecret`'],
  ['unsupported_grant_type', 'grant type not supported', 400, 'Enable this OAuth flow'],
  ['invalid_grant', 'something new', 400, 'Login History'],
  ['OAUTH_APP_BLOCKED', 'this app is blocked by admin', 400, 'Login History'],
  ['invalid_request', '', 400, 'Login History'],
]

test.each(refused)('P5 S28 S33 %s / %s is fatal and keeps its words', async (error, description, status, remediation) => {
  for (const flow of flows) {
    const caught = await failure(flow.make().getSession(context(scriptedPlatform(refusal(error, description, status)))))
    expect(caught).toBeInstanceOf(AuthenticationError)
    expect(caught).toMatchObject({ code: 'login_refused', retryable: false, server: { error, text: description, status } })
    expect((caught as AuthenticationError).remediation).toContain(remediation)
    expect((caught as AuthenticationError).message).toContain(error)
  }
})

test.each([[null], [7], [{ code: 'x' }], [[]]])('a refusal whose description is %j is one all the same', async (description) => {
  for (const flow of flows) {
    const answer = Response.json({ error: 'invalid_grant', error_description: description }, { status: 400 })
    const caught = await failure(flow.make().getSession(context(scriptedPlatform(answer))))
    expect(caught).toMatchObject({ code: 'login_refused', retryable: false, server: { error: 'invalid_grant', text: '', status: 400 } })
  }
})

test.each([
  ['seconds', { 'retry-after': '90' }, 90_000],
  ["a date by the server's clock", { date: 'Thu, 01 Jan 2015 00:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2015 00:01:00 GMT' }, 60_000],
  ['a date alone', { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, 30_000],
  ['what is none', { 'retry-after': 'soon' }, undefined],
])('the pause that a login host asks for is told: %s', async (_, headers, retryAfterMs) => {
  for (const flow of [...flows, ...logins.filter(({ name }) => name === 'soapLogin')])
    for (const body of [
      '',
      '<html>',
      '{"error":"rate_limit_exceeded"}',
      '{"access_token":"t","instance_url":"https://a.my.salesforce.com"}',
    ]) {
      const answer = new Response(body, { status: 429, headers })
      const caught = await failure(flow.make().getSession(context(scriptedPlatform(answer))))
      expect(caught).toMatchObject({ code: 'login_unavailable', retryable: true, server: { status: 429 } })
      expect((caught as AuthenticationError).server?.retryAfterMs).toBe(retryAfterMs)
    }
})

test('an error whose message is no text is a cause like any other', async () => {
  const broken = Object.assign(new Error('x'), { message: { a: 1 }, name: 7, stack: null })
  const caught = await failure(flows[0]!.make().getSession(context(scriptedPlatform(broken as unknown as Error))))
  expect(caught).toMatchObject({ code: 'login_unavailable', retryable: true })
})

const passing: [string, Answer, number | undefined][] = [
  [
    'P6 a network failure',
    new TypeError('fetch failed', { cause: Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }) }),
    undefined,
  ],
  ['P7 S35 an HTML 503', html(503), 503],
  ['P7 an empty body', new Response('', { status: 200 }), 200],
  ['P7 an empty 502', new Response(null, { status: 502 }), 502],
  ['P7 S49 a 200 with an HTML page', html(200), 200],
  ['an HTML 403 of a proxy', html(403), 403],
  ['truncated JSON', new Response('{"access_token":"00D'), 200],
  ['JSON that is no object', new Response('null'), 200],
  ['a reply without a token', Response.json({ instance_url: 'https://acme.my.salesforce.com' }), 200],
  ['a token of the wrong type', Response.json({ access_token: 7, instance_url: 'https://acme.my.salesforce.com' }), 200],
  [
    'a token with an error status',
    Response.json({ access_token: 't', instance_url: 'https://acme.my.salesforce.com' }, { status: 500 }),
    500,
  ],
  ['S51 a 429', refusal('too_many_requests', 'slow down', 429), 429],
  ['unknown_error', refusal('unknown_error', 'retry your request'), 400],
  ['retry your request under another name', refusal('invalid_grant', 'retry your request'), 400],
  ['server_error', refusal('server_error', 'please try again'), 400],
  ['temporarily_unavailable', refusal('temporarily_unavailable', 'maintenance'), 400],
  ['rate_limit_exceeded', refusal('rate_limit_exceeded', 'login rate exceeded'), 400],
  ['login rate exceeded under another name', refusal('invalid_grant', 'login rate exceeded'), 400],
  ['a fatal word in a 500', refusal('invalid_grant', 'authentication failure', 500), 500],
]

test.each(passing)('%s is transient', async (_, answer, status) => {
  for (const flow of flows) {
    const caught = await failure(flow.make().getSession(context(scriptedPlatform(answer))))
    expect(caught).toMatchObject({ name: 'AuthenticationError', code: 'login_unavailable', retryable: true })
    expect((caught as AuthenticationError).server?.status).toBe(status)
  }
})

test('P6 the cause of a network failure is kept, with its code', async () => {
  const down = new TypeError('fetch failed', { cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }) })
  for (const flow of flows) {
    const caught = await failure(flow.make().getSession(context(scriptedPlatform(down))))
    expect(caught).toMatchObject({ cause: { name: 'TypeError', message: 'fetch failed', cause: { code: 'ECONNREFUSED' } } })
  }
})

test.each([
  ['elsewhere', new Response(null, { status: 302, headers: { location: 'https://evil.example/x?y=1' } }), 'redirected', 'to evil.example;'],
  ['to a page', new Response(null, { status: 307, headers: { location: '/login' } }), 'redirected', 'salesforce.com;'],
  ['where the runtime hides it', new Response(null, { status: 303 }), 'redirected', 'elsewhere;'],
  ['nowhere: a 404 page', html(404), 'bad_login_url', 'no token endpoint'],
])('S52 a login host that points %s is told so, and not followed', async (_, answer, code, words) => {
  for (const flow of flows) {
    const scripted = scriptedPlatform(answer)
    const caught = await failure(flow.make().getSession(context(scripted)))
    expect(caught).toMatchObject({ name: 'AuthenticationError', code, retryable: false, message: expect.stringContaining(words) })
    expect(scripted.seen).toHaveLength(1)
  }
})

/** Everything the request carried, as a server or a network stack could quote it back. */
const echo = (seen: Seen): string =>
  `${seen.body} ${JSON.stringify(seen.form)} ${Object.values(seen.form).join(' ')} ${Object.values(seen.form).map(encodeURIComponent).join(' ')}`

const echoes: [string, (seen: Seen) => Response | Promise<Response>][] = [
  ['a refusal', (seen) => refusal('invalid_grant', echo(seen))],
  ['an error code', (seen) => refusal(echo(seen), 'x')],
  ['an HTML page', (seen) => new Response(`<html>${echo(seen)}`, { status: 503 })],
  ['JSON without a token', (seen) => Response.json({ [echo(seen)]: echo(seen) })],
  [
    'a redirect',
    (seen) => new Response(null, { status: 302, headers: { location: `https://x.example/?${encodeURIComponent(echo(seen))}` } }),
  ],
  ['an instance', (seen) => tokenReply('t1', { instance_url: `https://x.example:1/${echo(seen)}` })],
  ['an instance with credentials', (seen) => tokenReply('t1', { instance_url: `https://${encodeURIComponent(seen.body)}:x@x.example` })],
  ['an instance that is no URL', (seen) => tokenReply('t1', { instance_url: echo(seen) })],
  [
    'a network error',
    (seen) =>
      Promise.reject(
        new TypeError(`failed: ${echo(seen)}`, { cause: Object.assign(new Error(echo(seen)), { request: seen, code: seen.body }) }),
      ),
  ],
  ['a thrown object', (seen) => Promise.reject({ seen })],
]

test.each(echoes)('no secret shows when it comes back in %s', async (_, answer) => {
  for (const flow of logins) {
    const scripted = scriptedPlatform(answer)
    const outcome = await flow
      .make()
      .getSession(context(scripted))
      .catch((error: unknown) => error)
    // One of the answers is a good session: there is nothing to find then.
    const printed = inspect(outcome, { showHidden: true, depth: null, getters: true })
    const assertion = scripted.seen[0]?.form.assertion
    for (const secret of assertion === undefined ? flow.secrets : [assertion]) {
      for (const form of [
        secret,
        JSON.stringify(secret).slice(1, -1),
        encodeURIComponent(secret),
        new URLSearchParams([['', secret]]).toString().slice(1),
      ]) {
        expect(printed).not.toContain(form)
        expect(scripted.seen[0]?.url.href).not.toContain(form)
      }
    }
  }
})

test('frames of a cause are kept, and a short secret does not garble them', async () => {
  const auth = clientCredentials({ loginUrl: 'https://acme.my.salesforce.com', clientId: 'i', clientSecret: 't' })
  const error = await failure(auth.getSession(context(scriptedPlatform(new TypeError('not t')))))
  const { cause } = error as { cause: Error }
  expect(cause.message).toBe('no[secret] [secret]')
  expect(cause.stack).toMatch(/^TypeError: no\[secret\] \[secret\]\n\s+at .*failures\.test\.ts:\d+/)
})

test('any JSON or text with any status is a session or an AuthenticationError', async () => {
  const status = fc.integer({ min: 200, max: 599 }).filter((code) => ![204, 205, 304].includes(code))
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ error: fc.anything(), error_description: fc.anything() }).map((value) => JSON.stringify(value)),
  )
  await fc.assert(
    fc.asyncProperty(body, status, async (text, code) => {
      const flow = flows[1]
      const outcome = await flow
        ?.make()
        .getSession(context(scriptedPlatform(new Response(text, { status: code }))))
        .catch((error: unknown) => error)
      expect(outcome).toBeInstanceOf(AuthenticationError)
    }),
    { numRuns: 200 },
  )
})
