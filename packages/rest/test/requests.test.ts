import { getEventListeners } from 'node:events'
import { inspect } from 'node:util'
import { SfStreamError } from '@sfstream/core'
import { deadlineReached, withDeadline } from '@sfstream/core/internal'
import { createRestClient } from '@sfstream/rest'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Answer,
  expired,
  failure,
  hanging,
  instance,
  issuer,
  refusal,
  type ScriptedPlatform,
  scriptedPlatform,
} from './scripted-platform.ts'

function client(...answers: Answer[]): {
  rest: ReturnType<typeof createRestClient>
  auth: ReturnType<typeof issuer>
  scripted: ScriptedPlatform
} {
  const scripted = scriptedPlatform(...answers)
  const auth = issuer()
  return { rest: createRestClient({ auth, platform: scripted.platform }), auth, scripted }
}

test.each([
  ['limits', `${instance}/services/data/v66.0/limits`],
  ['/sobjects/Account/001', `${instance}/services/data/v66.0/sobjects/Account/001`],
  ['/services/data/v60.0/limits', `${instance}/services/data/v60.0/limits`],
  ['/services/apexrest/x?y=1', `${instance}/services/apexrest/x?y=1`],
  [`${instance}/services/data/`, `${instance}/services/data/`],
  ['//evil.example/x', `${instance}/services/data/v66.0/evil.example/x`],
  ['\\\\evil.example/x', `${instance}/services/data/v66.0///evil.example/x`],
])('P4 get(%j) goes to %s with the token', async (path, url) => {
  const { rest, scripted } = client(Response.json({ ok: 1 }))
  expect(await rest.get(path)).toEqual({ ok: 1 })
  const [request] = scripted.seen
  expect([request?.method, request?.url.href]).toEqual(['GET', url])
  expect(request?.headers.get('authorization')).toBe('Bearer 00Dxx!token1')
  expect(request?.headers.get('accept')).toBe('application/json')
  expect(request?.init.redirect).toBe('manual')
  expect(scripted.timers()).toBe(0)
})

test.each([
  'https://evil.example/x',
  'http://acme.my.salesforce.com/x',
  'https://acme.my.salesforce.com:444/x',
  'HTTPS://evil.example',
  'https://amy:pw@acme.my.salesforce.com/',
  'javascript:1',
  'https://',
])('S52 the token never goes to %s', async (path) => {
  const { rest, scripted } = client(Response.json({}))
  expect(await failure(rest.get(path))).toMatchObject({ name: 'StateError', code: 'bad_option' })
  expect(scripted.seen).toHaveLength(0)
})

test('whatever the path, a request goes to the instance or nowhere', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.webUrl(), fc.webPath(), fc.stringMatching(/^[\\/:@.a-z]{1,12}$/)), async (path) => {
      const { rest, scripted } = client(Response.json({}))
      await rest.get(path).catch((error: unknown) => expect(error).toMatchObject({ code: 'bad_option' }))
      for (const request of scripted.seen) expect(request.url.origin).toBe(instance)
    }),
    { numRuns: 300 },
  )
})

test("query, headers and body are sent; an authorization of the caller's own is not", async () => {
  const { rest, scripted } = client(Response.json({}))
  await rest.post('x', {
    query: { q: 'a b&c', n: 1, none: undefined },
    headers: { 'sforce-call-options': 'client=x', Authorization: 'Bearer mine' },
    body: { a: [1] },
  })
  await rest.request('y', { method: 'PATCH', body: '<x/>', headers: { 'content-type': 'text/xml' } })
  const [first, second] = scripted.seen
  expect([first?.method, first?.url.search, first?.body]).toEqual(['POST', '?q=a+b%26c&n=1', '{"a":[1]}'])
  expect([first?.headers.get('content-type'), first?.headers.get('sforce-call-options')]).toEqual(['application/json', 'client=x'])
  expect(first?.headers.get('authorization')).toBe('Bearer 00Dxx!token1')
  expect([second?.method, second?.body, second?.headers.get('content-type')]).toEqual(['PATCH', '<x/>', 'text/xml'])
})

test.each<[string, Response, unknown]>([
  ['JSON', Response.json([1]), [1]],
  ['204', new Response(null, { status: 204 }), undefined],
  ['an empty 201', new Response('', { status: 201 }), undefined],
  ['304', new Response(null, { status: 304 }), undefined],
  ['CSV', new Response('a,b', { headers: { 'content-type': 'text/csv' } }), 'a,b'],
])('a reply of %s is decoded', async (_, answer, value) => {
  expect(await client(answer).rest.get('x')).toEqual(value)
})

test.each<[string, Response]>([
  ['an HTML page', new Response('<html>login</html>', { headers: { 'content-type': 'text/html;charset=UTF-8' } })],
  ['a page without a type', new Response('<!DOCTYPE html><html>')],
  ['cut JSON', new Response('{"a":', { headers: { 'content-type': 'application/json' } })],
])('S49 %s for a success is a typed error', async (_, answer) => {
  expect(await failure(client(answer).rest.get('x'))).toMatchObject({ name: 'ProtocolError', code: 'bad_reply' })
})

test.each<[string, Response]>([
  ['INVALID_SESSION_ID', expired()],
  ['an HTML 401', new Response('<html>', { status: 401 })],
  ['Bad_OAuth_Token', new Response('Bad_OAuth_Token', { status: 403 })],
])('S25 a refused token (%s) is replaced once and the call made again', async (_, answer) => {
  const { rest, auth, scripted } = client(answer, Response.json({ ok: 1 }))
  expect(await rest.post('x', { body: { a: 1 } })).toEqual({ ok: 1 })
  expect(scripted.seen.map((request) => [request.headers.get('authorization'), request.body])).toEqual([
    ['Bearer 00Dxx!token1', '{"a":1}'],
    ['Bearer 00Dxx!token2', '{"a":1}'],
  ])
  expect(auth.logins()).toBe(2)
})

test('a second refusal is final', async () => {
  const { rest, auth, scripted } = client(expired())
  expect(await failure(rest.get('x'))).toMatchObject({
    name: 'AuthenticationError',
    code: 'token_refused',
    server: { error: 'INVALID_SESSION_ID', status: 401 },
  })
  expect([scripted.seen.length, auth.logins()]).toEqual([2, 2])
})

test('P12 concurrent refusals make one login', async () => {
  const { rest, auth } = client((seen) => (seen.headers.get('authorization')?.endsWith('token1') ? expired() : Response.json({ ok: 1 })))
  await Promise.all([1, 2, 3].map(() => rest.get('x')))
  expect(auth.logins()).toBe(2)
})

test('the provider is told which session was refused', async () => {
  const scripted = scriptedPlatform(expired(), Response.json({ ok: 1 }))
  const asked: unknown[] = []
  const rest = createRestClient({
    platform: scripted.platform,
    auth: {
      getSession: ({ rejected, platform }) => {
        asked.push([rejected, platform.now()])
        return Promise.resolve({ accessToken: `t${asked.length}`, instanceUrl: `https://org${asked.length}.my.salesforce.com/` })
      },
    },
  })
  await rest.get('x')
  const now = scripted.platform.now()
  expect(asked).toEqual([
    [undefined, now],
    [{ accessToken: 't1', instanceUrl: 'https://org1.my.salesforce.com' }, now],
  ])
  expect(scripted.seen.map((request) => request.url.host)).toEqual(['org1.my.salesforce.com', 'org2.my.salesforce.com'])
})

test('a fixed session works until it is refused; a function is called again', async () => {
  const fixed = scriptedPlatform(Response.json({ ok: 1 }), expired())
  const rest = createRestClient({ auth: { accessToken: 't1', instanceUrl: instance }, platform: fixed.platform })
  expect(await rest.get('x')).toEqual({ ok: 1 })
  expect(await failure(rest.get('x'))).toMatchObject({ name: 'AuthenticationError', code: 'token_refused' })

  let calls = 0
  const renewed = scriptedPlatform(expired(), Response.json({ ok: 2 }))
  const auth = async () => ({ accessToken: `t${++calls}`, instanceUrl: instance })
  expect(await createRestClient({ auth, platform: renewed.platform }).get('x')).toEqual({ ok: 2 })
  expect(calls).toBe(2)
})

test.each<[string, Response, object]>([
  ['a publishing limit', refusal(400, 'LIMIT_EXCEEDED', 'publish limit'), { name: 'LimitError', code: 'event_limit', retryable: true }],
  [
    'a request limit',
    refusal(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'),
    { name: 'LimitError', code: 'server_busy', retryable: true },
  ],
  ['a 503 page', new Response('<html>', { status: 503 }), { name: 'LimitError', code: 'server_busy', retryable: true }],
  ['S51 a 429', new Response('slow down', { status: 429 }), { name: 'LimitError', code: 'server_busy', retryable: true }],
  [
    'an unavailable bus',
    refusal(500, 'PLATFORM_EVENT_PUBLISHING_UNAVAILABLE', 'later'),
    { name: 'LimitError', code: 'server_busy', retryable: true },
  ],
  [
    'a 500',
    refusal(500, 'UNKNOWN_EXCEPTION', 'oops'),
    { name: 'TransportError', code: 'http_status', retryable: true, server: { error: 'UNKNOWN_EXCEPTION', text: 'oops', status: 500 } },
  ],
  ['a 504 page', new Response('<html>', { status: 504 }), { name: 'TransportError', code: 'http_status', retryable: true }],
  ['a 413', new Response('', { status: 413 }), { code: 'request_too_large', retryable: false }],
  [
    'a bad field',
    refusal(400, 'INVALID_FIELD_FOR_INSERT_UPDATE', 'No such column', ['Amount__c']),
    {
      code: 'request_refused',
      retryable: false,
      server: { error: 'INVALID_FIELD_FOR_INSERT_UPDATE', text: 'No such column', args: ['Amount__c'], status: 400 },
    },
  ],
  [
    'a single error object',
    Response.json({ errorCode: 'NOT_FOUND', message: 'gone' }, { status: 404 }),
    { code: 'request_refused', server: { error: 'NOT_FOUND', text: 'gone', status: 404 } },
  ],
  [
    'an OAuth error',
    Response.json({ error: 'invalid_scope', error_description: 'no api' }, { status: 403 }),
    { code: 'request_refused', server: { error: 'invalid_scope', text: 'no api', status: 403 } },
  ],
  ['a 404 page', new Response('<html>', { status: 404 }), { name: 'TransportError', code: 'http_status', retryable: false }],
  [
    'S52 a redirect',
    new Response(null, { status: 302, headers: { location: 'https://evil.example' } }),
    { name: 'TransportError', code: 'redirected', retryable: false },
  ],
  ['an empty list of errors', Response.json([], { status: 400 }), { name: 'TransportError', code: 'http_status' }],
])('%s is a typed error, and the call is made once', async (_, answer, expected) => {
  const { rest, scripted } = client(answer)
  const error = await failure(rest.post('sobjects/X__e', { body: {} }))
  expect(error).toBeInstanceOf(SfStreamError)
  expect(error).toMatchObject(expected)
  expect((error as SfStreamError).remediation).not.toBe('')
  expect(scripted.seen).toHaveLength(1)
})

test('a network failure keeps its cause', async () => {
  const { rest } = client(
    new TypeError('fetch failed', { cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }) }),
  )
  expect(await failure(rest.get('x'))).toMatchObject({
    name: 'TransportError',
    code: 'network',
    retryable: true,
    cause: { message: 'fetch failed', cause: { code: 'ECONNREFUSED' } },
  })
})

test('a call ends at its deadline, also inside the body, and leaves no timer', async () => {
  for (const answer of [hanging, () => new Response(new ReadableStream({})), () => new Promise<Response>(() => {})]) {
    const { rest, scripted } = client(answer)
    const failing = failure(rest.get('x', { timeoutMs: 500 }))
    await scripted.requests(1)
    scripted.elapse(500)
    expect(await failing).toMatchObject({ name: 'TransportError', code: 'timeout', retryable: true })
    expect(scripted.timers()).toBe(0)
  }
})

test("abort settles with the signal's own reason, before, during and in the login", async () => {
  const { rest, scripted } = client(hanging)
  const controller = new AbortController()
  const failing = failure(rest.get('x', { signal: controller.signal }))
  await scripted.requests(1)
  const reason = new Error('changed my mind')
  controller.abort(reason)
  expect(await failing).toBe(reason)
  expect(scripted.seen[0]?.init.signal?.aborted).toBe(true)
  expect(scripted.timers()).toBe(0)
  expect(await failure(rest.get('x', { signal: controller.signal }))).toBe(reason)
  expect(scripted.seen).toHaveLength(1)
  const login = new AbortController()
  const stuck = createRestClient({ auth: () => new Promise(() => {}), platform: scripted.platform })
  const waiting = failure(stuck.get('x', { signal: login.signal }))
  login.abort(reason)
  expect(await waiting).toBe(reason)
})

test.each<[string, Answer]>([
  [
    'a refusal',
    (seen) =>
      refusal(400, `X ${seen.headers.get('authorization')}`, `${seen.headers.get('authorization')}`, [
        `${seen.headers.get('authorization')}`,
      ]),
  ],
  ['plain text', (seen) => new Response(`${seen.headers.get('authorization')}`, { status: 500 })],
  [
    'a redirect',
    (seen) => new Response(null, { status: 302, headers: { location: `https://x.example/?${seen.headers.get('authorization')}` } }),
  ],
  [
    'a network error',
    (seen) =>
      Promise.reject(
        new TypeError(`bad ${seen.headers.get('authorization')}`, { cause: Object.assign(new Error('x'), { request: seen }) }),
      ),
  ],
  ['a second 401', (seen) => refusal(401, 'INVALID_SESSION_ID', `${seen.headers.get('authorization')}`)],
])('no token shows when it comes back in %s', async (_, answer) => {
  const { rest, scripted } = client(answer)
  const error = await failure(rest.get('x'))
  expect(inspect(error, { showHidden: true, depth: null, getters: true })).not.toMatch(/token[12]/)
  for (const request of scripted.seen) expect(request.url.href).not.toContain('token')
})

test('a deadline leaves no listener on the signal, however it ends', async () => {
  const scripted = scriptedPlatform()
  const { signal } = new AbortController()
  const run = (work: () => Promise<number>): Promise<unknown> =>
    withDeadline(1_000, { signal, platform: scripted.platform }, work).catch((error: unknown) => error)
  expect(await run(async () => 1)).toBe(1)
  expect(await run(() => Promise.reject(new Error('x')))).toMatchObject({ message: 'x' })
  const late = run(() => new Promise(() => {}))
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  scripted.elapse(1_000)
  expect(await late).toBe(deadlineReached)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  expect(scripted.timers()).toBe(0)
})

test.each<[string, unknown]>([
  ['a line end amid the token', { accessToken: '00Dxx!sec\nret', instanceUrl: instance }],
  ['quotes that no keyboard means', { accessToken: '“00Dxx!secret”', instanceUrl: instance }],
  ['Bearer before it', { accessToken: 'Bearer 00Dxx!secret', instanceUrl: instance }],
  ['no token', { instanceUrl: instance }],
  ['a token that is no text', { accessToken: 7, instanceUrl: instance }],
  ['no host', { accessToken: '00Dxx!secret' }],
  ['nothing', undefined],
])('a session with %s is refused before any request, and shows nowhere', async (_, session) => {
  for (const auth of [session, () => session, { getSession: () => session }]) {
    if (auth === undefined) continue
    const scripted = scriptedPlatform(Response.json({}))
    const error = await failure(createRestClient({ auth: auth as never, platform: scripted.platform }).get('x'))
    expect(error).toMatchObject({ name: 'AuthenticationError', code: expect.stringMatching(/^(?:bad_option|missing_credential)$/) })
    expect(inspect(error, { showHidden: true, depth: null, getters: true })).not.toMatch(/sec\s?ret/)
    expect(scripted.seen).toHaveLength(0)
  }
})

test('a JWT is a token like any other here', async () => {
  const scripted = scriptedPlatform(Response.json({ ok: 1 }))
  const auth = { accessToken: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln', instanceUrl: instance }
  expect(await createRestClient({ auth, platform: scripted.platform }).get('x')).toEqual({ ok: 1 })
})

test('what a provider throws is a typed error with its cause, but for what it means', async () => {
  const cause = new Error('vault sealed')
  for (const auth of [
    () => Promise.reject(cause),
    {
      getSession: () => {
        throw cause
      },
    },
  ]) {
    const { platform } = scriptedPlatform(Response.json({}))
    expect(await failure(createRestClient({ auth, platform }).get('x'))).toMatchObject({
      name: 'AuthenticationError',
      code: 'login_refused',
      cause,
    })
  }
})

test('an org that has moved and kept the token: the call goes to where the provider says it is good now', async () => {
  const scripted = scriptedPlatform(expired(), Response.json({ ok: 1 }))
  let logins = 0
  const auth = async () => ({ accessToken: 't', instanceUrl: logins++ === 0 ? instance : 'https://new.my.salesforce.com' })
  expect(await createRestClient({ auth, platform: scripted.platform }).get('x')).toEqual({ ok: 1 })
  expect(scripted.seen.map(({ url }) => url.host)).toEqual(['acme.my.salesforce.com', 'new.my.salesforce.com'])
})

test.each<[string, object]>([
  ['a header with a line end', { headers: { 'x-key': 'sec\nret' } }],
  ['a header whose name is none', { headers: { 'x key': 'secret' } }],
  [
    'a body that goes in circles',
    {
      body: Object.assign([] as unknown[], {
        0: undefined,
        toJSON: () => {
          throw new Error('round and round')
        },
      }),
    },
  ],
  ['a body with a BigInt', { body: { n: 1n } }],
])('%s is a typed error, not retryable, and nothing is sent', async (_, init) => {
  const { rest, scripted } = client(Response.json({}))
  const error = await failure(rest.post('x', init))
  expect(error).toMatchObject({ name: 'StateError', code: 'bad_option', retryable: false })
  expect(inspect(error, { showHidden: true, depth: null })).not.toMatch(/sec\s?ret/)
  expect(scripted.seen).toHaveLength(0)
  expect(scripted.timers()).toBe(0)
})

test.each([
  ['seconds', { 'retry-after': '90' }, 90_000],
  ["a date by the server's clock", { date: 'Thu, 01 Jan 2015 00:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2015 00:01:00 GMT' }, 60_000],
  ['a date alone', { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, 30_000],
  ['what is none', { 'retry-after': 'soon' }, undefined],
  ['nothing', {}, undefined],
])('the pause that a busy org asks for is told: %s', async (_, headers, retryAfterMs) => {
  for (const body of ['<html>', '[{"errorCode":"SERVER_UNAVAILABLE","message":"x"}]', '{"error":"busy"}', '{}']) {
    const error = await failure(client(new Response(body, { status: 503, headers })).rest.get('x'))
    expect(error).toMatchObject({ code: 'server_busy', retryable: true })
    expect((error as SfStreamError).server?.retryAfterMs).toBe(retryAfterMs)
  }
})
