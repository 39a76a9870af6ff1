import { createMockOrg, type MockOrgOptions, type PublishExtra, virtualClock } from '@sfstream/mock-org'
import { describe, expect, it } from 'vitest'
import { dataOf, type Message, rawClient } from './raw-client.ts'

async function setUp(options: MockOrgOptions = {}, version = '66.0') {
  const clock = virtualClock({ startMs: Date.UTC(2026, 4, 5, 12, 0, 0, 123) })
  const org = createMockOrg({ clock, ...options })
  return { clock, org, client: await rawClient(org, { version }).start() }
}

/** What a subscriber of `channel` gets when something is published. */
async function received(
  channel: string,
  publish: [string, unknown, PublishExtra?],
  version?: string,
  options?: MockOrgOptions,
): Promise<Message[]> {
  const { org, client } = await setUp(options, version)
  expect(await client.subscribe(channel)).toMatchObject({ successful: true, subscription: channel })
  org.publish(...publish)
  return dataOf(await client.connect({ advice: { timeout: 0 } }))
}

const date = '2026-05-05T12:00:00.123Z'

describe('S09 data messages of', () => {
  it('platform events have EventUuid from 52.0 and milliseconds from 43.0', async () => {
    for (const [version, eventUuid, created] of [
      ['66.0', 'u', date],
      ['51.0', undefined, date],
      ['42.0', undefined, '2026-05-05T12:00:00Z'],
    ] as const) {
      const [message] = await received(
        '/event/Low_Ink__e',
        ['/event/Low_Ink__e', { Serial_Number__c: '1' }, { eventUuid: 'u', replayId: 42 }],
        version,
      )
      expect(message).toEqual({
        data: {
          schema: expect.any(String),
          // Every field of the definition, whatever was published.
          payload: {
            CreatedDate: created,
            CreatedById: expect.stringMatching(/^005/),
            Printer_Model__c: null,
            Serial_Number__c: '1',
            Ink_Percentage__c: null,
          },
          event: eventUuid ? { EventUuid: 'u', replayId: 42 } : { replayId: 42 },
        },
        channel: '/event/Low_Ink__e',
      })
    }
  })

  it('custom channels carry their members under their own name and ids', async () => {
    const { org, client } = await setUp()
    await client.subscribe('/event/Printing__chn')
    const own = org.publish('/event/Order_Event__e', { Number__c: 1 })
    const [message] = dataOf(await client.connect())
    expect(message).toMatchObject({ channel: '/event/Printing__chn', data: { event: { EventUuid: own.eventUuid } } })
    expect((message!.data as { event: { replayId: number } }).event.replayId).toBe(
      Number(org.inspect.published('/event/Printing__chn')[0]!.replayId),
    )
  })

  it.each(['/data/AccountChangeEvent', '/data/ChangeEvents'])('change events have a full header on %s', async (channel) => {
    const [message] = await received(channel, [
      '/data/AccountChangeEvent',
      { Name: 'Acme', Phone: null },
      { changeType: 'UPDATE', recordIds: ['001'] },
    ])
    expect(message).toEqual({
      data: {
        schema: expect.any(String),
        payload: {
          LastModifiedDate: date,
          Name: 'Acme',
          ChangeEventHeader: {
            commitNumber: expect.any(Number),
            commitUser: expect.stringMatching(/^005\w{15}$/),
            sequenceNumber: 1,
            entityName: 'Account',
            changeType: 'UPDATE',
            changedFields: ['Name', 'Phone', 'LastModifiedDate'],
            changeOrigin: expect.stringContaining('com/salesforce/api'),
            transactionKey: expect.any(String),
            commitTimestamp: Date.parse(date),
            recordIds: ['001'],
          },
        },
        event: { EventUuid: expect.any(String), replayId: expect.any(Number) },
      },
      channel,
    })
  })

  it('change events say isTransactionEnd instead of changedFields before 47.0, null fields by switch, and nothing but the header on DELETE', async () => {
    const channel = '/data/Employee__ChangeEvent'
    const [old] = await received(channel, [channel, { Name: 'A' }], '44.0')
    const header = (message: Message) => (message.data as { payload: { ChangeEventHeader: Message } }).payload.ChangeEventHeader
    expect(header(old!)).toMatchObject({ isTransactionEnd: true, entityName: 'Employee__c' })
    expect(header(old!)).not.toHaveProperty('changedFields')
    const [nulled] = await received(channel, [channel, { Phone: null }, { changeType: 'UPDATE' }], '66.0', {
      switches: { nulledFields: 'null' },
    })
    expect(nulled!.data).toMatchObject({ payload: { Phone: null } })
    const [deleted] = await received('/data/HREvents__chn', [channel, { Name: 'A' }, { changeType: 'DELETE' }])
    expect(Object.keys((deleted!.data as { payload: object }).payload)).toEqual(['ChangeEventHeader'])
  })

  it('PushTopics, generic channels and system topics', async () => {
    const topic = '/topic/InvoiceStatementUpdates'
    expect(await received(topic, [topic, { Name: 'INV-0004' }, { type: 'updated' }])).toEqual([
      {
        data: {
          event: { createdDate: date, replayId: 1, type: 'updated' },
          sobject: { Id: expect.stringMatching(/^a00/), Name: 'INV-0004' },
        },
        channel: topic,
      },
    ])
    const generic = '/u/notifications/ExampleUserChannel'
    expect(await received(generic, [generic, 'any string'])).toEqual([
      { data: { event: { createdDate: date, replayId: 1 }, payload: 'any string' }, channel: generic },
    ])
    expect(await received('/systemTopic/Logging', ['/systemTopic/Logging', {}])).toEqual([
      {
        data: { event: { createdDate: date, type: 'created' }, sobject: { Id: expect.stringMatching(/^07L/) } },
        channel: '/systemTopic/Logging',
      },
    ])
  })
})

describe('S05 replay ids', () => {
  it('beyond 2^53 keep their digits both ways, as bare digits and as text', async () => {
    const { org, client, clock } = await setUp({ replayIds: { start: 9_007_199_254_740_993n } })
    const channel = '/event/Low_Ink__e'
    const ids = [1, 2, 3].map(() => org.publish(channel, {}).replayId!)
    expect(BigInt(ids[0]!)).toBeGreaterThan(2n ** 53n)
    for (const sent of [ids[0]!, `"${ids[0]}"`]) {
      const body = `[{"channel":"/meta/subscribe","clientId":"${client.clientId}","id":"s","subscription":"${channel}","ext":{"replay":{"${channel}":${sent}}}}]`
      const cookie = [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const post = async (text: string) =>
        (
          await org.fetch(`${org.url}/cometd/66.0`, {
            method: 'POST',
            body: text,
            headers: { Authorization: client.token, Cookie: cookie },
          })
        ).text()
      expect(await post(body)).toContain('"successful":true')
      const text = await post(`[{"channel":"/meta/connect","clientId":"${client.clientId}","connectionType":"long-polling"}]`)
      expect([...text.matchAll(/"replayId":(\d+)/g)].map((match) => match[1])).toEqual(ids.slice(1))
    }
    expect(clock.pending).toBe(0)
  })

  it('of platform events are not contiguous, those of PushTopics are', async () => {
    const { org } = await setUp()
    const steps = (channel: string, payload: unknown) => {
      const ids = Array.from({ length: 30 }, () => Number(org.publish(channel, payload).replayId))
      return new Set(ids.slice(1).map((id, index) => id - ids[index]!))
    }
    expect(steps('/event/Low_Ink__e', {}).size).toBeGreaterThan(3)
    expect(steps('/topic/InvoiceStatementUpdates', {})).toEqual(new Set([1]))
  })

  it('S61 are refused once the retention is over, or later by switch', async () => {
    const hour = 3_600_000
    for (const [channel, payload, hours] of [
      ['/event/Low_Ink__e', {}, 72],
      ['/topic/InvoiceStatementUpdates', {}, 24],
    ] as const) {
      for (const late of [0, hour]) {
        const { org, clock } = await setUp({ switches: { latePurgeMs: late } })
        const { replayId } = org.publish(channel, payload)
        await clock.advance(hours * hour + late - 1)
        const before = await rawClient(org).start()
        expect(await before.subscribe(channel, Number(replayId))).toMatchObject({ successful: true })
        expect(org.inspect.published(channel)).toMatchObject([{ replayId, retained: true }])
        await clock.advance(1)
        const after = await rawClient(org).start()
        expect(await after.subscribe(channel, Number(replayId))).toMatchObject({
          successful: false,
          error: expect.stringContaining(`{${replayId}}`),
        })
        expect(org.inspect.published(channel)).toMatchObject([{ replayId, retained: false }])
        expect(await after.subscribe(channel, -2)).toMatchObject({ successful: true })
      }
    }
  })

  it('S62 mean nothing after a reset of the bus', async () => {
    const { org, client } = await setUp()
    const old = Number(org.publish('/event/Low_Ink__e', {}).replayId)
    org.faults.resetReplayIds(1_000n)
    expect(await client.subscribe('/event/Low_Ink__e', old)).toMatchObject({ successful: false })
    expect(Number(org.publish('/event/Low_Ink__e', {}).replayId)).toBe(1_000)
  })
})

describe('subscriptions', () => {
  const invalid = (id: string) =>
    `400::The replayId {${id}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.`

  it.each([
    ['', {}, '400::Channel name not specified'],
    ['event/Low_Ink__e', {}, "400::Channel subscriptions must start with a leading '/'"],
    ['/event/Nothing__e', {}, "400::The channel you requested to subscribe to doesn't exist {/event/Nothing__e}"],
    ['/event/low_ink__e', {}, "400::The channel you requested to subscribe to doesn't exist {/event/low_ink__e}"],
    ['/data/accountChangeEvent', {}, "400::The channel you requested to subscribe to doesn't exist {/data/accountChangeEvent}"],
    ['/topic/Nothing', {}, '403:denied_by_security_policy:create_denied'],
    ['/u/notifications/exampleuserchannel', {}, '404::channel names may not vary only by case'],
    ['/meta/connect', {}, '403::Restricted channel'],
    ['/**', {}, '403::Restricted channel'],
    ["/topic/InvoiceStatementUpdates?Colour='red'", {}, '400::Query fields {Colour} do not exist on the topic entity'],
    ['/event/Low_Ink__e', { replay: { '/event/Low_Ink__e': 5 } }, invalid('5')],
    ['/event/Low_Ink__e', { replay: { '/event/Low_Ink__e': 0 } }, invalid('0')],
    ['/event/Low_Ink__e', { replay: { '/event/Low_Ink__e': 'abc' } }, invalid('abc')],
    ['/event/Low_Ink__e', { replay: { '/event/Low_Ink__e': -3 } }, invalid('-3')],
    [
      '/event/Low_Ink__e',
      { replay: {} },
      expect.stringMatching(
        /^400::The replayId for channel \{\/event\/Low_Ink__e\} wasn't found using the provided replay ID map \{\{\}\}\. Ensure that the channel name/,
      ),
    ],
    ['/event/Low_Ink__e', { replay: { '/event/X__e': 1 } }, expect.stringContaining('{{/event/X__e=1}}')],
  ])('S41 S42 S43 to %s with %j are refused', async (subscription, ext, error) => {
    const { org, client } = await setUp()
    const [reply] = (await client.post({ channel: '/meta/subscribe', id: 's', clientId: client.clientId, subscription, ext })).messages
    expect(reply).toEqual({ clientId: client.clientId, channel: '/meta/subscribe', id: 's', subscription, error, successful: false })
    expect(org.inspect.subscriptions).toEqual({})
  })

  it('follow the switches where nothing is proved', async () => {
    const { org, client } = await setUp({ switches: { replayZero: 'all', unknownReplayId: 'nearest', replayTextSpaces: 1 } })
    const channel = '/event/Low_Ink__e'
    org.publish(channel, {}, { replayId: 100 })
    org.publish(channel, {}, { replayId: 200 })
    const count = async (replay: unknown) => {
      expect(await client.subscribe(channel, replay)).toMatchObject({ successful: true })
      return dataOf(await client.connect({ advice: { timeout: 0 } })).length
    }
    expect(await count(0)).toBe(2)
    expect(await count(150)).toBe(1)
    expect(await client.subscribe(channel, 'x')).toMatchObject({ error: expect.stringContaining('was invalid. Please') })
    expect(await client.subscribe(channel, 50)).toMatchObject({ successful: false })
    expect(await client.subscribe(channel, 999)).toMatchObject({ successful: false })
  })

  it('make unknown generic channels where the org permits it', async () => {
    for (const [dynamicChannels, expected] of [
      [true, { successful: true }],
      [false, { error: '404::Unknown channel' }],
    ] as const) {
      const { client } = await setUp({ dynamicChannels })
      expect(await client.subscribe('/u/New')).toMatchObject(expected)
    }
  })

  it('S10 filter PushTopics, where & means OR and quotes are optional, keyed without the query', async () => {
    const { org, client } = await setUp()
    const topic = '/topic/InvoiceStatementUpdates'
    const names = async (filter: string, replay?: number) => {
      expect(await client.subscribe(topic + filter, replay)).toMatchObject({ successful: true, subscription: topic + filter })
      for (const [Name, Industry, ShippingCity] of [
        ['A', 'Energy', 'Rome'],
        ['B', 'Retail', 'San Francisco'],
        ['C', 'Retail', 'Rome'],
      ]) {
        org.publish(topic, { Name, Industry, ShippingCity })
      }
      const data = dataOf(await client.connect())
      await client.post({ channel: '/meta/unsubscribe', clientId: client.clientId, subscription: topic + filter })
      return data.map((message) => (message.data as { sobject: { Name: string } }).sobject.Name + (message.channel === topic ? '' : '?'))
    }
    expect(await names("?Industry='Energy'&ShippingCity='San Francisco'")).toEqual(['A', 'B'])
    expect(await names('?ShippingCity=San Francisco')).toEqual(['B'])
    expect(await names("?Industry='Energy'", -1)).toEqual(['A'])
    org.switches.queryInDataChannel = true
    expect(await names("?Industry='Energy'")).toEqual(['A?'])
  })

  it('may name several channels at once, or none is made', async () => {
    const { org, client } = await setUp()
    const subscribe = async (...subscription: string[]) =>
      (await client.post({ channel: '/meta/subscribe', clientId: client.clientId, subscription } as Message)).messages[0]
    expect(await subscribe('/event/Low_Ink__e', '/event/Nothing__e')).toMatchObject({ successful: false })
    expect(org.inspect.subscriptions).toEqual({})
    expect(await subscribe('/event/Low_Ink__e', '/event/Order_Event__e')).toMatchObject({ successful: true })
    expect(org.inspect.subscriptions).toEqual({ '/event/Low_Ink__e': 1, '/event/Order_Event__e': 1 })
  })

  it('S11 end at once, but what was queued still arrives; subscribing again starts anew', async () => {
    const { org, client } = await setUp()
    const channel = '/event/Low_Ink__e'
    await client.subscribe(channel)
    const { replayId } = org.publish(channel, {})
    await client.subscribe(channel, -2)
    expect(await client.post({ channel: '/meta/unsubscribe', id: 'u', clientId: client.clientId, subscription: channel })).toMatchObject({
      messages: [{ channel: '/meta/unsubscribe', id: 'u', subscription: channel, successful: true }],
    })
    org.publish(channel, {})
    expect(dataOf(await client.connect()).map((message) => (message.data as { event: { replayId: number } }).event.replayId)).toEqual([
      Number(replayId),
    ])
    expect(org.inspect.subscriptions).toEqual({})
  })
})

describe('publishing', () => {
  it('refuses channels the org has not, and payloads that do not fit', () => {
    const org = createMockOrg({ channels: ['/event/Mine__e'] })
    expect(() => org.publish('/event/Other__e', {})).toThrow(/org\.define\('\/event\/Other__e'\)/)
    expect(() => org.publish('/event/Mine__e', 'text')).toThrow(/object of fields/)
    expect(() => org.publish('/u/notifications/ExampleUserChannel', {})).toThrow(/string/)
    expect(() => org.define('/nonsense')).toThrow(/no channel family/)
    expect(() => org.define('/event/New__chn')).toThrow(/members/)
    org.define('/event/Other__e')
    expect(org.publish('/event/Other__e', { A: 1 })).toMatchObject({ channel: '/event/Other__e', payload: { A: 1 } })
  })

  it('gives the same ids for the same seed', () => {
    const ids = (seed: number) => {
      const org = createMockOrg({ seed, clock: virtualClock() })
      return [org.session().accessToken, ...Array.from({ length: 10 }, () => org.publish('/event/Low_Ink__e', {}).replayId)]
    }
    expect(ids(3)).toEqual(ids(3))
    expect(ids(3)).not.toEqual(ids(4))
  })

  it('samples every channel', () => {
    const org = createMockOrg()
    for (const channel of org.channels) expect(org.publishSample(channel).channel).toBe(channel)
  })
})
