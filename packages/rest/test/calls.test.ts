import { createRestClient } from '@sfstream/rest'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { soqlString } from '../src/channel-name.ts'
import { type Answer, expired, failure, issuer, refusal, type ScriptedPlatform, type Seen, scriptedPlatform } from './scripted-platform.ts'

function client(answers: Answer[], apiVersion?: string): { rest: ReturnType<typeof createRestClient>; scripted: ScriptedPlatform } {
  const scripted = scriptedPlatform(...answers)
  return { rest: createRestClient({ auth: issuer(), platform: scripted.platform, ...(apiVersion ? { apiVersion } : {}) }), scripted }
}

const versions = [
  { label: "Summer '26", url: '/services/data/v67.0', version: '67.0' },
  { label: "Winter '26", url: '/services/data/v65.0', version: '65.0' },
]
const paths = (scripted: ScriptedPlatform): string[] => scripted.seen.map((request) => `${request.method} ${request.url.pathname}`)

test('versions() lists what the org serves, and sends no token', async () => {
  const { rest, scripted } = client([Response.json(versions)])
  expect(await rest.versions()).toEqual(versions)
  expect(paths(scripted)).toEqual(['GET /services/data/'])
  expect(scripted.seen[0]?.headers.has('authorization')).toBe(false)
})

test('P17 latest asks once, takes the greatest of an unsorted list, and only when a path needs it', async () => {
  const { rest, scripted } = client([Response.json({ ok: 1 }), Response.json(versions), Response.json({ ok: 2 })], 'latest')
  await rest.get('/services/apexrest/x')
  await Promise.all([rest.get('limits'), rest.get('limits')])
  await rest.get('limits')
  const limits = 'GET /services/data/v67.0/limits'
  expect(paths(scripted)).toEqual(['GET /services/apexrest/x', 'GET /services/data/', limits, limits, limits])
})

test('latest that cannot be told is an error, and asked for again', async () => {
  const { rest } = client([Response.json([]), Response.json(versions), Response.json({ ok: 1 })], 'latest')
  expect(await failure(rest.get('x'))).toMatchObject({ name: 'ProtocolError', code: 'bad_reply' })
  expect(await rest.get('x')).toEqual({ ok: 1 })
})

test('S45 a version that is none is refused at construction; one is normalised', async () => {
  expect(() => client([], '20.0')).toThrow(expect.objectContaining({ code: 'bad_api_version' }))
  const { rest, scripted } = client([Response.json({})], 'v58')
  await rest.get('x')
  expect(paths(scripted)).toEqual(['GET /services/data/v58.0/x'])
})

test('limits() gives the allocations', async () => {
  const limits = {
    DailyStreamingApiEvents: { Max: 10_000, Remaining: 9_999 },
    DailyApiRequests: { Max: 5, Remaining: 4, 'My App': { Max: 0, Remaining: 0 } },
  }
  expect(await client([Response.json(limits)]).rest.limits()).toEqual(limits)
  expect(await failure(client([Response.json([])]).rest.limits())).toMatchObject({ code: 'bad_reply' })
})

const queued = { id: 'e01xx0000000001AAA', success: true, errors: [{ statusCode: 'OPERATION_ENQUEUED', message: '7f1e', fields: [] }] }

test.each([
  ['/event/Order__e', 'Order__e'],
  ['Order__e', 'Order__e'],
  ['acme__Order__e', 'acme__Order__e'],
  ['/event/LoginEventStream', 'LoginEventStream'],
])('publish(%j) posts to sobjects/%s', async (event, name) => {
  const { rest, scripted } = client([Response.json(queued, { status: 201 })])
  expect(await rest.publish(event, { Amount__c: 7 })).toEqual({ id: 'e01xx0000000001AAA', eventUuid: '7f1e' })
  expect(paths(scripted)).toEqual([`POST /services/data/v66.0/sobjects/${name}`])
  expect(scripted.seen[0]?.body).toBe('{"Amount__c":7}')
})

test.each([
  '',
  'Order',
  '/data/AccountChangeEvent',
  'AccountChangeEvent',
  '/event/AccountChangeEvent',
  '/data/ChangeEvents',
  '/topic/Orders',
  '/u/Notes',
  '/event/Orders__chn',
  '/event/',
  '/event/Order__e/x',
  '../Account',
  'Order__e?x',
  'Order__e ',
])('publish(%j) is refused before any request', async (event) => {
  const { rest, scripted } = client([Response.json(queued)])
  expect(await failure(rest.publish(event, {}))).toMatchObject({ name: 'StateError', code: 'bad_channel', channel: event })
  expect(scripted.seen).toHaveLength(0)
})

test('a publish result without success is an error, so is one that cannot be read', async () => {
  const failed = { id: '', success: false, errors: [{ statusCode: 'REQUIRED_FIELD_MISSING', message: 'Amount__c' }] }
  expect(await failure(client([Response.json(failed)]).rest.publish('X__e', {}))).toMatchObject({
    code: 'request_refused',
    server: { error: 'REQUIRED_FIELD_MISSING', text: 'Amount__c' },
  })
  expect(await failure(client([new Response(null, { status: 204 })]).rest.publish('X__e', {}))).toMatchObject({ code: 'bad_reply' })
})

test('a publish with a refused token logs in again', async () => {
  const { rest, scripted } = client([expired(), Response.json(queued, { status: 201 })])
  expect((await rest.publish('X__e', {})).id).toBe(queued.id)
  expect(scripted.seen).toHaveLength(2)
})

/** An org with channels by name. */
function channels(
  ids: Record<string, string>,
  pushed: (seen: Seen) => Response = () => Response.json([{ fanoutCount: -1, userOnlineStatus: {} }]),
): Answer {
  return (seen) => {
    if (!seen.url.pathname.endsWith('/query')) return pushed(seen)
    return Response.json({
      totalSize: 1,
      done: true,
      records: Object.entries(ids).map(([Name, Id]) => ({ attributes: { type: 'StreamingChannel' }, Name, Id })),
    })
  }
}

test('push looks the channel up once, by its exact name', async () => {
  const { rest, scripted } = client([channels({ '/u/NEWS': '0M6other', '/u/News': '0M6xx' })])
  expect(await rest.push('/u/News', 'hello')).toEqual({ fanoutCount: -1, userOnlineStatus: {} })
  await rest.push('/u/News', 'again', ['005xx000001AbCD'])
  expect(paths(scripted)).toEqual([
    'GET /services/data/v66.0/query',
    'POST /services/data/v66.0/sobjects/StreamingChannel/0M6xx/push',
    'POST /services/data/v66.0/sobjects/StreamingChannel/0M6xx/push',
  ])
  expect(scripted.seen[0]?.url.searchParams.get('q')).toBe("SELECT Id, Name FROM StreamingChannel WHERE Name = '/u/News'")
  expect(scripted.seen.slice(1).map((request) => JSON.parse(request.body))).toEqual([
    { pushEvents: [{ payload: 'hello', userIds: [] }] },
    { pushEvents: [{ payload: 'again', userIds: ['005xx000001AbCD'] }] },
  ])
})

test('push escapes the name in the query', async () => {
  const { rest, scripted } = client([channels({})])
  await failure(rest.push("/u/a'OR\\Name!='", 'x'))
  expect(scripted.seen[0]?.url.searchParams.get('q')).toBe("SELECT Id, Name FROM StreamingChannel WHERE Name = '/u/a\\'OR\\\\Name!=\\''")
})

test('an escaped SOQL string ends where it should and means the original', () => {
  const meanings: Record<string, string> = { n: '\n', r: '\r', t: '\t' }
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("'", '"', '\\', '\n', '\r', '\t', 'a', '/', 'é') }), (value) => {
      const literal = soqlString(value)
      expect(literal).toMatch(/^'(?:[^'\\\n\r]|\\.)*'$/)
      expect(literal.slice(1, -1).replace(/\\(.)/g, (_, escaped: string) => meanings[escaped] ?? escaped)).toBe(value)
    }),
  )
})

test('a channel the org does not have is a typed error; so is a name in other case', async () => {
  const { rest, scripted } = client([channels({ '/u/NEWS': '0M6other' })])
  expect(await failure(rest.push('/u/News', 'x'))).toMatchObject({ name: 'StateError', code: 'bad_channel', channel: '/u/News' })
  expect(scripted.seen).toHaveLength(1)
})

test('a channel made anew is looked up again, once', async () => {
  const ids = { '/u/News': '0M6old' }
  const { rest, scripted } = client([
    channels(ids, (seen) =>
      seen.url.pathname.includes('0M6gone') ? refusal(404, 'NOT_FOUND', 'deleted') : Response.json([{ fanoutCount: 0 }]),
    ),
  ])
  await rest.push('/u/News', 'x')
  ids['/u/News'] = '0M6gone'
  await rest.push('/u/News', 'still the old id')
  expect(scripted.seen).toHaveLength(3)
  const gone = client([channels({ '/u/News': '0M6gone' }, () => refusal(404, 'NOT_FOUND', 'deleted'))])
  expect(await failure(gone.rest.push('/u/News', 'x'))).toMatchObject({ code: 'request_refused', server: { status: 404 } })
  expect(gone.scripted.seen).toHaveLength(2)
  expect(await failure(gone.rest.push('/u/News', 'x'))).toMatchObject({ server: { status: 404 } })
  // The remembered id failed, was looked up anew, and failed again: no endless loop.
  expect(gone.scripted.seen).toHaveLength(5)
})

test.each(['/u/', 'News', '/topic/News', '/event/X__e', '/u/a b', '/u/*', '/u//x'])(
  'push to %j is refused before any request',
  async (channel) => {
    const { rest, scripted } = client([channels({})])
    expect(await failure(rest.push(channel, 'x'))).toMatchObject({ name: 'StateError', code: 'bad_channel', channel })
    expect(scripted.seen).toHaveLength(0)
  },
)

test('push takes 3,000 characters and refuses 3,001 before any request', async () => {
  const { rest, scripted } = client([channels({ '/u/News': '0M6xx' })])
  expect(await failure(rest.push('/u/News', 'x'.repeat(3_001)))).toMatchObject({ code: 'request_too_large', channel: '/u/News' })
  expect(scripted.seen).toHaveLength(0)
  await rest.push('/u/News', 'x'.repeat(3_000))
  expect(scripted.seen).toHaveLength(2)
})

test('a push result or a query that cannot be read is a typed error', async () => {
  expect(await failure(client([Response.json({})]).rest.push('/u/News', 'x'))).toMatchObject({ code: 'bad_reply' })
  expect(await failure(client([channels({ '/u/News': '1' }, () => Response.json([]))]).rest.push('/u/News', 'x'))).toMatchObject({
    code: 'bad_reply',
  })
})

test('a 401 of a service in Apex is its own answer: nothing is sent twice, and no token replaced, unless it was the session', async () => {
  for (const path of [
    '/services/apexrest/orders',
    '/services/apexrest/acme/orders?x=1',
    'https://acme.my.salesforce.com/services/ApexRest/x',
  ]) {
    const own = client([Response.json({ error: 'you are not a partner' }, { status: 401 })])
    expect(await failure(own.rest.post(path, { body: {} }))).toMatchObject({
      code: 'request_refused',
      server: { error: 'you are not a partner', status: 401 },
    })
    expect(await failure(own.rest.post(path, { body: {} }))).toMatchObject({ server: { status: 401 } })
    expect(own.scripted.seen.map(({ headers }) => headers.get('authorization'))).toEqual(Array(2).fill('Bearer 00Dxx!token1'))
    const session = client([expired(), Response.json({ ok: 1 })])
    expect(await session.rest.post(path, { body: {} })).toEqual({ ok: 1 })
    expect(session.scripted.seen[1]?.headers.get('authorization')).toBe('Bearer 00Dxx!token2')
  }
})
