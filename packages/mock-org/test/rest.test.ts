import { createMockOrg, type MockOrgOptions, virtualClock } from '@sfstream/mock-org'
import { describe, expect, it } from 'vitest'
import { dataOf, rawClient } from './raw-client.ts'

function setUp(options: MockOrgOptions = {}) {
  const org = createMockOrg({ clock: virtualClock(), ...options })
  const { accessToken } = org.session()
  const call = async (path: string, body?: unknown, token = accessToken) => {
    const response = await org.fetch(`${org.url}/services/data/v66.0${path}`, {
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return { status: response.status, json: (await response.json()) as unknown }
  }
  return { org, call }
}

describe('REST', () => {
  it('lists versions without a token, ascending', async () => {
    const { org } = setUp()
    for (const path of ['/services/data/', '/services/data']) {
      const list = (await (await org.fetch(org.url + path)).json()) as { version: string; url: string; label: string }[]
      expect(list.at(-1)).toEqual({ label: "Summer '26", url: '/services/data/v67.0', version: '67.0' })
      expect(list[0]!.version).toBe('31.0')
    }
  })

  it('refuses a bad token with 401, an unknown version with 404', async () => {
    const { org, call } = setUp()
    expect(await call('/limits', undefined, 'x')).toEqual({
      status: 401,
      json: [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }],
    })
    const reply = await org.fetch(`${org.url}/services/data/v99.0/limits`, {
      headers: { Authorization: `Bearer ${org.session().accessToken}` },
    })
    expect([reply.status, await reply.json()]).toMatchObject([404, [{ errorCode: 'NOT_FOUND' }]])
  })

  it('publishes platform events, which subscribers get', async () => {
    const { org, call } = setUp()
    const client = await rawClient(org).start()
    await client.subscribe('/event/Low_Ink__e')
    expect(await call('/sobjects/Low_Ink__e', { Serial_Number__c: '1' })).toEqual({
      status: 201,
      json: {
        id: expect.stringMatching(/^e00\w{15}$/),
        success: true,
        errors: [{ statusCode: 'OPERATION_ENQUEUED', message: expect.any(String), fields: [] }],
      },
    })
    expect(dataOf(await client.connect())).toMatchObject([{ data: { payload: { Serial_Number__c: '1' } } }])
    expect(await call('/sobjects/Nothing__e', {})).toMatchObject({ status: 404 })
    expect(await call('/sobjects/Low_Ink__e', { Colour__c: '1' })).toMatchObject({ status: 400, json: [{ errorCode: 'INVALID_FIELD' }] })
    expect(await call('/sobjects/Low_Ink__e', '{')).toMatchObject({ status: 400, json: [{ errorCode: 'JSON_PARSER_ERROR' }] })
  })

  it('limits what is published in an hour', async () => {
    const clock = virtualClock()
    const { call } = setUp({ clock, limits: { hourlyPublishedEvents: 1 } })
    expect((await call('/sobjects/Order_Event__e', {})).status).toBe(201)
    expect(await call('/sobjects/Order_Event__e', {})).toMatchObject({ status: 400, json: [{ errorCode: 'LIMIT_EXCEEDED' }] })
    await clock.advance(3_600_000 + 60_000)
    expect((await call('/sobjects/Order_Event__e', {})).status).toBe(201)
  })

  it('finds a generic channel by name, pushes to it, and says who listens', async () => {
    const { org, call } = setUp()
    const channel = '/u/notifications/ExampleUserChannel'
    const query = await call(`/query?q=${encodeURIComponent(`SELECT Id FROM StreamingChannel WHERE Name = '${channel}'`)}`)
    expect(query.json).toMatchObject({ totalSize: 1, done: true, records: [{ Id: expect.stringMatching(/^0M6\w{15}$/) }] })
    const { Id } = (query.json as { records: { Id: string }[] }).records[0]!
    const push = `/sobjects/StreamingChannel/${Id}/push`
    expect((await call(push, { pushEvents: [{ payload: 'x', userIds: [] }] })).json).toEqual([{ fanoutCount: -1, userOnlineStatus: {} }])
    expect((await call(push, { pushEvents: [{ payload: 'x', userIds: ['005A'] }] })).json).toEqual([
      { fanoutCount: 0, userOnlineStatus: { '005A': false } },
    ])
    const client = await rawClient(org).start()
    await client.subscribe(channel)
    const online = (await call(push)).json as { OnlineUserIds: string[]; ChannelName: string }
    expect(online).toEqual({ OnlineUserIds: [expect.stringMatching(/^005\w{15}$/)], ChannelName: channel })
    expect((await call(push, { pushEvents: [{ payload: 'hello', userIds: online.OnlineUserIds }] })).json).toMatchObject([
      { fanoutCount: 1 },
    ])
    expect(dataOf(await client.connect())).toMatchObject([{ data: { payload: 'hello' } }])
    expect(await call(push, { pushEvents: [{ payload: 'x'.repeat(3_001) }] })).toMatchObject({ status: 400 })
    expect(await call(`/query?q=${encodeURIComponent("SELECT Id FROM StreamingChannel WHERE Name = 'it\\'s'")}`)).toMatchObject({
      json: { totalSize: 0, records: [] },
    })
    expect(await call('/query?q=DELETE')).toMatchObject({ status: 400, json: [{ errorCode: 'MALFORMED_QUERY' }] })
  })

  it('reports limits and what is left of them', async () => {
    const { org, call } = setUp({ edition: 'developer' })
    const client = await rawClient(org).start()
    await client.subscribe('/event/Low_Ink__e')
    org.publish('/event/Low_Ink__e', {})
    await client.connect()
    expect((await call('/limits')).json).toMatchObject({
      DailyDeliveredPlatformEvents: { Max: 10_000, Remaining: 9_999 },
      StreamingApiConcurrentClients: { Max: 20, Remaining: 19 },
      HourlyPublishedPlatformEvents: { Max: 50_000, Remaining: 50_000 },
    })
  })

  it('S60 gives the schema of an event by name and by the id that data messages carry', async () => {
    const { org, call } = setUp()
    const client = await rawClient(org).start()
    await client.subscribe('/event/Low_Ink__e')
    org.publish('/event/Low_Ink__e', {})
    org.publish('/event/Low_Ink__e', {}, { schemaVersion: 1 })
    const ids = dataOf(await client.connect()).map((message) => (message.data as { schema: string }).schema)
    expect(new Set(ids).size).toBe(2)
    for (const id of ids)
      expect((await call(`/event/eventSchema/${id}?payloadFormat=EXPANDED`)).json).toMatchObject({
        name: 'Low_Ink__e',
        uuid: id,
        type: 'expanded-record',
        namespace: 'com.sforce.eventbus',
      })
    expect((await call('/sobjects/Low_Ink__e/eventSchema?payloadFormat=COMPACT')).json).toMatchObject({ uuid: ids[0], type: 'record' })
    expect((await call('/event/eventSchema/nothing')).status).toBe(404)
  })
})
