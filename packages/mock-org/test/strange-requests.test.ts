import { createMockOrg, virtualClock } from '@sfstream/mock-org'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    0,
    '',
    [],
    {},
    [null],
    true,
    { toString: 1 },
    [{ toString: 1 }],
    { replay: { '/event/Low_Ink__e': { toString: 1 } } },
    { replay: { a: { toString: 1 } } },
    '/event/Low_Ink__e',
    ['/event/Low_Ink__e', 3],
    '/topic/InvoiceStatementUpdates?%E0%A4%A&=&Name',
    '/u/constructor',
    { timeout: -1 },
    { timeout: '1' },
    'constructor',
    '\u0001123',
  ),
  fc.jsonValue({ maxDepth: 1 }),
)

/** Valid but for a field or two. */
const message = fc
  .record({
    channel: fc.constantFrom('/meta/handshake', '/meta/subscribe', '/meta/unsubscribe', '/meta/connect', '/meta/disconnect', '/foo'),
    field: fc.constantFrom(
      'channel',
      'id',
      'clientId',
      'ext',
      'advice',
      'subscription',
      'supportedConnectionTypes',
      'connectionType',
      'version',
      'minimumVersion',
      'data',
      'successful',
      '__proto__',
    ),
    value: odd,
  })
  .map(({ channel, field, value }) => ({ channel, field, value }))

test('what no client of the org should send is refused, and never a broken connection', async () => {
  const clock = virtualClock()
  const org = createMockOrg({ clock, switches: { requireBrowserCookie: false, nodes: 1 } })
  const headers = { authorization: `Bearer ${org.session().accessToken}`, 'content-type': 'application/json' }
  const post = (path: string, body: unknown): Promise<Response> =>
    org.fetch(org.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  const begin = async (): Promise<string> => {
    const [reply] = (await (
      await post('/cometd/66.0', [{ channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['long-polling'] }])
    ).json()) as [{ clientId: string }]
    return reply.clientId
  }
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 2, maxLength: 3 }), odd, async (messages, body) => {
      const clientId = await begin()
      const sent = messages.map(({ channel, field, value }) => ({
        channel,
        clientId,
        id: '1',
        connectionType: 'long-polling',
        subscription: '/event/Low_Ink__e',
        supportedConnectionTypes: ['long-polling'],
        [field]: value,
      }))
      const reply = await post('/cometd/66.0', sent)
      expect(Array.isArray(await reply.json())).toBe(true)
      await post('/cometd/66.0', [{ channel: '/meta/disconnect', clientId }])
      for (const path of ['/sobjects/Low_Ink__e', '/sobjects/Nope__e']) {
        expect((await post(`/services/data/v66.0${path}`, body)).status).toBeGreaterThanOrEqual(200)
      }
      const { records } = (await (
        await org.fetch(`${org.url}/services/data/v66.0/query?q=SELECT+Id+FROM+StreamingChannel`, { headers })
      ).json()) as { records: { Id: string }[] }
      for (const pushed of [body, { pushEvents: body }, { pushEvents: [{ payload: body, userIds: body }] }]) {
        expect((await post(`/services/data/v66.0/sobjects/StreamingChannel/${records[0]!.Id}/push`, pushed)).status).toBeLessThan(500)
      }
    }),
    { numRuns: 300 },
  )
})

test('a number with many digits behind its point is a number', async () => {
  const org = createMockOrg({ clock: virtualClock() })
  const headers = { authorization: `Bearer ${org.session().accessToken}`, 'content-type': 'application/json' }
  const ext = {
    sum: 0.1 + 0.2,
    small: 1.2345678901234568e-16,
    negative: -0.30000000000000004,
    'a "1234567890123456789"': '1234567890123456789',
  }
  const body = JSON.stringify([{ channel: '/meta/handshake', id: '1', supportedConnectionTypes: ['long-polling'], ext }])
  const reply = await org.fetch(`${org.url}/cometd/66.0`, { method: 'POST', headers, body })
  expect(reply.status).toBe(200)
})
