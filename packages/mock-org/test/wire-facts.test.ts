import { createMockOrg, type MockOrgOptions, virtualClock } from '@sfstream/mock-org'
import { describe, expect, it } from 'vitest'
import { dataOf, type Message, rawClient } from './raw-client.ts'

/** What was recorded of real orgs and has no test beside its subject: the numbers are those of the sections of the wire facts. */
function setUp(options: MockOrgOptions = {}) {
  const clock = virtualClock()
  return { clock, org: createMockOrg({ clock, ...options }) }
}

async function received(channel: string, payload: unknown, extra: object, { version = '66.0', options = {} as MockOrgOptions } = {}) {
  const { org } = setUp(options)
  const client = await rawClient(org, { version }).start()
  await client.subscribe(channel)
  org.publish(channel, payload, extra)
  return dataOf(await client.connect())[0]!.data as { payload: Message; sobject: Message; event: Message }
}

describe('event data', () => {
  it('2.5 of a deleted record has its id alone', async () => {
    const topic = '/topic/InvoiceStatementUpdates'
    expect((await received(topic, { Id: 'a00', Name: 'x' }, { type: 'deleted' })).sobject).toEqual({ Id: 'a00' })
    expect((await received(topic, { Id: 'a00', Name: 'x' }, { type: 'undeleted' })).sobject).toEqual({ Id: 'a00', Name: 'x' })
  })

  it('2.5 of a PushTopic has the fields that its query selects, where it has a query', async () => {
    const payload = { Id: 'a00', Name: 'x', Secret__c: 'y' }
    expect((await received('/topic/InvoiceStatementUpdates', payload, {})).sobject).toEqual({ Id: 'a00', Name: 'x' })
    expect((await received('/topic/Anything', payload, {}, { options: { channels: ['/topic/Anything'] } })).sobject).toEqual(payload)
  })

  it("2.5 is what was published, also where it looks like the org's own way to write large replay ids", async () => {
    const payload = { A__c: '\u00015', B__c: '"\u00016', '\u00017': '\u0001\u00018', C__c: '\u0001'.repeat(20_000) }
    const { org } = setUp()
    const client = await rawClient(org).start()
    await client.subscribe('/event/Order_Event__e')
    org.publish('/event/Order_Event__e', payload, { replayId: 12_345_678_901_234_567_890n })
    const { text } = await client.post({ channel: '/meta/connect', clientId: client.clientId, connectionType: 'long-polling' })
    expect(text).toContain('"replayId":12345678901234567890')
    expect(JSON.parse(text)).toMatchObject([{ data: { payload } }, {}])
  })

  it('2.5 of a test result names a test run, of logging a log', async () => {
    expect((await received('/systemTopic/TestResult', {}, {})).sobject.Id).toMatch(/^707\w{15}$/)
    expect((await received('/systemTopic/Logging', {}, {})).sobject.Id).toMatch(/^07L\w{15}$/)
  })

  it('1.2 dates change events without milliseconds before 43.0', async () => {
    const dates = async (version: string) => {
      const { payload } = await received('/data/AccountChangeEvent', { Name: 'x' }, { createdDate: 1_767_614_400_123 }, { version })
      return [payload.CreatedDate, payload.LastModifiedDate]
    }
    expect(await dates('43.0')).toEqual(['2026-01-05T12:00:00.123Z', '2026-01-05T12:00:00.123Z'])
    expect(await dates('42.0')).toEqual(['2026-01-05T12:00:00Z', '2026-01-05T12:00:00Z'])
  })

  it('5 of an overflow names no record', async () => {
    const { payload } = await received('/data/AccountChangeEvent', {}, { changeType: 'GAP_OVERFLOW' })
    expect(payload).toEqual({
      ChangeEventHeader: expect.objectContaining({ changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] }),
    })
  })

  it('2.5 of change events has no EventUuid where the switch says so', async () => {
    const options = { switches: { changeEventUuid: false } }
    expect((await received('/data/AccountChangeEvent', {}, { eventUuid: 'u' }, { options })).event).toEqual({
      replayId: expect.any(Number),
    })
  })
})

describe('generic channels', () => {
  const channel = '/u/notifications/ExampleUserChannel'

  it('2.5 bring what is pushed to some users to these alone, live and replayed', async () => {
    const { org } = setUp({ users: [{ username: 'ada@acme.example' }, { username: 'bob@acme.example' }] })
    const [ada, bob] = await Promise.all(
      ['ada@acme.example', 'bob@acme.example'].map((name) => rawClient(org, { token: org.session(name).accessToken }).start()),
    )
    for (const client of [ada!, bob!]) await client.subscribe(channel)
    const rest = (path: string, init: RequestInit = {}) =>
      org.fetch(`${org.url}/services/data/v66.0${path}`, { ...init, headers: { Authorization: `Bearer ${ada!.token}` } })
    const found = (await (await rest('/query?q=SELECT+Id+FROM+StreamingChannel')).json()) as { records: { Id: string }[] }
    const pushEvents = [
      { payload: 'for Bob', userIds: [org.users[1]!.id] },
      { payload: 'for all', userIds: [] },
    ]
    const reply = await rest(`/sobjects/StreamingChannel/${found.records[0]!.Id}/push`, {
      method: 'POST',
      body: JSON.stringify({ pushEvents }),
    })
    expect(await reply.json()).toMatchObject([{ fanoutCount: 1 }, { fanoutCount: -1 }])
    const texts = async (client: typeof ada) => dataOf(await client!.connect()).map(({ data }) => (data as { payload: string }).payload)
    expect(await texts(ada)).toEqual(['for all'])
    expect(await texts(bob)).toEqual(['for Bob', 'for all'])
    for (const client of [ada!, bob!]) await client.subscribe(channel, -2)
    expect(await texts(ada)).toEqual(['for all'])
    expect(await texts(bob)).toEqual(['for Bob', 'for all'])
  })

  it('3.2 are made by subscribers until the org has as many as it may', async () => {
    const { org } = setUp({ limits: { streamingChannels: 2 } })
    const client = await rawClient(org).start()
    expect(await client.subscribe('/u/second')).toMatchObject({ successful: true })
    expect(await client.subscribe('/u/third')).toMatchObject({
      error: '403::Unable to create channel dynamically, maximum channel limit has been exceeded',
    })
    expect(org.channels).not.toContain('/u/third')
  })
})

describe('CometD', () => {
  it('3.1 tells a held connect of an unknown client without its clientId, unless it is kicked', async () => {
    const { org, clock } = setUp()
    const client = await rawClient(org).start()
    const held = client.connect()
    await clock.settle()
    org.faults.loseSessions()
    expect(await held).toEqual([
      {
        advice: { interval: 0, reconnect: 'handshake' },
        channel: '/meta/connect',
        id: '3',
        error: '403::Unknown client',
        successful: false,
      },
    ])
  })

  it('9 refuses what is too large with a status, or by switch in each message', async () => {
    const { org } = setUp({ switches: { sizeErrors: 'bayeux' } })
    const client = await rawClient(org).start()
    const padding = 'x'.repeat(33_000)
    const { status, messages } = await client.post([{ channel: '/meta/subscribe', id: '7', clientId: client.clientId, padding }])
    expect([status, messages]).toMatchObject([200, [{ id: '7', error: '413::Maximum Request Size Exceeded', successful: false }]])
  })

  it('9 refuses tokens within a reply of 200, or by switch of 401', async () => {
    const { org } = setUp()
    const status = async (token: string) => {
      const client = rawClient(org, { token })
      return (await client.post({ channel: '/meta/handshake', id: '1', supportedConnectionTypes: ['long-polling'] })).status
    }
    const { accessToken } = org.session()
    expect(await status('x')).toBe(200)
    org.switches.authErrorStatus = 401
    expect([await status('x'), await status(''), await status(accessToken)]).toEqual([401, 401, 200])
    const client = await rawClient(org, { token: accessToken }).start()
    org.faults.revokeTokens()
    expect((await client.post({ channel: '/meta/connect', clientId: client.clientId, connectionType: 'long-polling' })).status).toBe(401)
  })
})

describe('REST', () => {
  it('3.6 counts requests, says how many with each reply, and refuses those beyond the day with 403', async () => {
    const { org, clock } = setUp({ limits: { dailyApiRequests: 2 } })
    const headers = { Authorization: `Bearer ${org.session().accessToken}` }
    const ask = async (path = '/v66.0/limits') => {
      const reply = await org.fetch(`${org.url}/services/data${path}`, { headers })
      return { status: reply.status, used: reply.headers.get('Sforce-Limit-Info'), body: await reply.json() }
    }
    expect(await ask('/')).toMatchObject({ status: 200, used: null })
    expect(await ask()).toMatchObject({ status: 200, used: 'api-usage=1/2', body: { DailyApiRequests: { Max: 2, Remaining: 1 } } })
    expect(await ask('/v99.0/limits')).toMatchObject({ status: 404, used: 'api-usage=2/2' })
    const refusal = { status: 403, used: 'api-usage=2/2', body: [{ errorCode: 'REQUEST_LIMIT_EXCEEDED' }] }
    expect(await ask()).toMatchObject(refusal)
    expect(org.inspect.usage.apiRequests).toBe(2)
    await clock.advance(86_400_000)
    expect(await ask()).toMatchObject({ status: 401 })
    Object.assign(headers, { Authorization: `Bearer ${org.session().accessToken}` })
    expect(await ask()).toMatchObject({ status: 200, used: 'api-usage=1/2' })
  })

  it('2.5 has no schema for channels that carry events of several kinds', async () => {
    const { org } = setUp()
    const headers = { Authorization: `Bearer ${org.session().accessToken}` }
    const status = async (name: string) =>
      (await org.fetch(`${org.url}/services/data/v66.0/sobjects/${name}/eventSchema`, { headers })).status
    expect([await status('Low_Ink__e'), await status('AccountChangeEvent')]).toEqual([200, 200])
    expect([await status('ChangeEvents'), await status('Printing__chn'), await status('HREvents__chn')]).toEqual([404, 404, 404])
  })
})
