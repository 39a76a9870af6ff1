import { createMockOrg, type MockOrgOptions, virtualClock } from '@sfstream/mock-org'
import { describe, expect, it } from 'vitest'
import { dataOf, type Message, rawClient } from './raw-client.ts'

function setUp(options: MockOrgOptions = {}) {
  const clock = virtualClock()
  const org = createMockOrg({ clock, ...options })
  return { clock, org, client: rawClient(org) }
}

const lowInk = '/event/Low_Ink__e'

describe('requests', () => {
  it('are POST only', async () => {
    const { org } = setUp()
    const reply = await org.fetch(`${org.url}/cometd/66.0`)
    expect([reply.status, await reply.text()]).toEqual([405, 'Only POST allowed'])
  })

  it.each(['/cometd/66.0', '/cometd/66.0/', '/cometd/66.0/handshake', '/cometd/37.0', '/cometd/replay/66.0'])(
    'are taken at %s, as object or array',
    async (path) => {
      const { client } = setUp()
      const message = { channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['long-polling'] }
      for (const body of [message, [message]]) expect((await client.post(body, path)).messages[0]).toMatchObject({ successful: true })
    },
  )

  it('echo ids as sent, and none when none was sent', async () => {
    const { client } = setUp()
    for (const id of ['1j3', 7, undefined]) {
      const [reply] = (await client.post({ channel: '/meta/handshake', id, supportedConnectionTypes: ['long-polling'] })).messages
      expect(reply!.id).toBe(id)
    }
  })

  it('are not above 32,768 bytes', async () => {
    const { client } = setUp()
    const { status, text } = await client.post({ channel: '/meta/handshake', pad: 'x'.repeat(32_768) })
    expect([status, text]).toEqual([413, 'Maximum Request Size Exceeded'])
  })

  it.each([
    ['/cometd', "400::API version in the URI is mandatory. URI format: '/cometd/66.0'"],
    ['/cometd/', "400::API version in the URI is mandatory. URI format: '/cometd/66.0'"],
    ['/cometd/36.0', "400::Unsupported API version. Only API versions '37.0' and later are supported. URI format: '/cometd/66.0'"],
    ['/cometd/99.0', "400::Unsupported API version. Only API versions '37.0' and later are supported. URI format: '/cometd/66.0'"],
  ])('S45 need a version that is supported: %s', async (path, error) => {
    const { org, client } = setUp()
    const message = { channel: '/meta/handshake', supportedConnectionTypes: ['long-polling'] }
    expect((await client.post(message, path)).messages).toEqual([
      { channel: '/meta/handshake', error, successful: false, advice: { reconnect: 'none' } },
    ])
    org.switches.versionErrors = 'http-400'
    expect((await client.post(message, path)).status).toBe(400)
  })

  it('are refused when they are not JSON', async () => {
    const { org } = setUp()
    expect((await org.fetch(`${org.url}/cometd/66.0`, { method: 'POST', body: '{' })).status).toBe(400)
  })

  it.each(['Bearer ', 'OAuth ', ''])('may carry the token as "%stoken"', async (scheme) => {
    const { org } = setUp()
    const headers = { Authorization: `${scheme}${org.session().accessToken}` }
    const body = JSON.stringify([{ channel: '/meta/handshake', supportedConnectionTypes: ['long-polling'] }])
    expect(await (await org.fetch(`${org.url}/cometd/66.0`, { method: 'POST', body, headers })).json()).toMatchObject([
      { successful: true },
    ])
  })

  it('answer publishing with a refusal', async () => {
    const { client } = setUp()
    await client.start()
    expect((await client.post({ channel: lowInk, clientId: client.clientId, data: {} })).messages).toMatchObject([
      { successful: false, error: '403::Restricted channel' },
    ])
  })
})

describe('handshakes', () => {
  const denied = (failureReason: string) => ({
    ext: { sfdc: { failureReason }, replay: true, 'payload.format': true },
    advice: { reconnect: 'none' },
    channel: '/meta/handshake',
    id: '1',
    error: '403::Handshake denied',
    successful: false,
  })

  it('S26 S27 are denied without a good token, with the reason nested', async () => {
    const { org } = setUp()
    expect(await rawClient(org, { token: 'x' }).handshake()).toEqual(denied('401::Authentication invalid'))
    expect(await rawClient(org, { token: '' }).handshake()).toEqual(denied('401::Request requires authentication'))
  })

  it('S31 refuse JWT access tokens although REST takes them', async () => {
    const { org } = setUp({ scenario: 'S31' })
    const { accessToken } = org.session()
    expect(accessToken).toMatch(/^eyJ[\w-]+\.eyJ[\w-]+\.\w+$/)
    expect(await rawClient(org, { token: accessToken }).handshake()).toEqual(denied('401::Authentication invalid'))
    expect((await org.fetch(`${org.url}/services/data/v66.0/limits`, { headers: { Authorization: `Bearer ${accessToken}` } })).status).toBe(
      200,
    )
  })

  it('S32 are denied when sessions are locked to another address', async () => {
    const { client } = setUp({ scenario: 'S32' })
    expect(await client.handshake()).toEqual(denied('401::Authentication invalid'))
  })

  it('need long polling', async () => {
    const { client } = setUp()
    expect(await client.handshake({ supportedConnectionTypes: ['websocket'] })).toMatchObject({
      error: '400::Invalid connection type websocket',
    })
  })

  it('S12 S38 take a slot each, freed by disconnect or expiry, and are denied beyond the limit', async () => {
    const { org, clock } = setUp({ scenario: 'S12' })
    const clients = Array.from({ length: 20 }, () => rawClient(org))
    for (const client of clients) await client.start()
    expect(org.inspect.slots).toEqual({ used: 20, peak: 20, limit: 20 })
    expect(await rawClient(org).handshake()).toEqual(denied('403::Organization concurrent user limit exceeded'))
    const { clientId } = clients[0]!
    expect((await clients[0]!.post({ channel: '/meta/disconnect', id: 'd', clientId })).messages).toEqual([
      { clientId, channel: '/meta/disconnect', id: 'd', successful: true },
    ])
    expect(org.inspect.slots.used).toBe(19)
    expect(await rawClient(org).handshake()).toMatchObject({ successful: true })
    await clock.advance(40_000)
    expect(org.inspect.slots.used).toBe(0)
    expect(org.inspect.handshakes).toBe(22)
  })
})

describe('sessions', () => {
  const unknown = (id: string) => [
    { advice: { interval: 0, reconnect: 'handshake' }, channel: '/meta/connect', id, error: '403::Unknown client', successful: false },
  ]

  it('S13 live 40 s after a reply, and not longer', async () => {
    const { clock, client } = setUp()
    await client.start()
    await clock.advance(39_999)
    void client.connect()
    await clock.advance(110_000)
    await clock.advance(39_999)
    const held = client.connect({ advice: { timeout: 0 } })
    expect(await held).toMatchObject([{ successful: true }])
    await clock.advance(40_000)
    expect(await client.connect({ id: 'x' })).toEqual(unknown('x'))
  })

  it('S21 have one connect held: a second releases the first', async () => {
    const { org, clock, client } = setUp()
    await client.start()
    const first = client.connect()
    await clock.settle()
    const second = client.connect()
    expect(await first).toMatchObject([{ successful: true }])
    await clock.advance(110_000)
    expect(await second).toMatchObject([{ successful: true }])
    expect(org.inspect.maxConcurrentConnects).toBe(2)
    org.switches.replacedConnect = 'cut'
    const third = client.connect()
    await clock.settle()
    void client.connect()
    await expect(third).rejects.toThrow(TypeError)
    await clock.advance(110_000)
  })

  it('hold a connect only when it comes alone, and as long as its own advice says', async () => {
    const { org, clock, client } = setUp()
    await client.start()
    const base = { clientId: client.clientId, id: 'c' }
    const { messages } = await client.post([
      { ...base, channel: '/meta/subscribe', subscription: lowInk },
      { ...base, channel: '/meta/connect', connectionType: 'long-polling' },
    ])
    expect(messages.map((message) => message.channel)).toEqual(['/meta/subscribe', '/meta/connect'])
    let done = false
    void client.connect({ advice: { timeout: 30_000 } }).then(() => (done = true))
    await clock.advance(29_999)
    expect(done).toBe(false)
    await clock.advance(1)
    expect(done).toBe(true)
    org.switches.honourClientTimeout = false
    done = false
    void client.connect({ advice: { timeout: 0 } }).then(() => (done = true))
    await clock.advance(109_999)
    expect(done).toBe(false)
    await clock.advance(1)
    expect(done).toBe(true)
  })

  it('end at a disconnect, which releases the held connect', async () => {
    for (const [mode, expected] of [
      ['successful', { successful: true }],
      ['none-advice', { successful: true, advice: { reconnect: 'none', interval: 0 } }],
      ['unknown-client', { successful: false, error: '403::Unknown client' }],
    ] as const) {
      const { clock, client } = setUp({ switches: { disconnectedConnect: mode } })
      await client.start()
      const held = client.connect()
      await clock.settle()
      await client.post({ channel: '/meta/disconnect', clientId: client.clientId })
      expect(await held).toMatchObject([expected])
    }
  })

  it('S23 of one browser poll every 2 s instead of being held', async () => {
    const { org, clock } = setUp()
    const browser = org.browser()
    const [one, two] = [rawClient(org, { fetch: browser }), rawClient(org, { fetch: browser })]
    await one.start()
    await two.start()
    void one.connect()
    await clock.settle()
    expect(await two.connect()).toMatchObject([
      { successful: true, advice: { interval: 2_000, 'multiple-clients': true, reconnect: 'retry', timeout: 110_000 } },
    ])
    await clock.advance(110_000)
  })

  it('S20 of one browser end with the next handshake when the switch says so', async () => {
    const { org } = setUp({ scenario: 'S20' })
    const browser = org.browser()
    const [one, two] = [rawClient(org, { fetch: browser }), rawClient(org, { fetch: browser })]
    await one.start()
    await two.start()
    expect(await one.connect()).toMatchObject([{ error: '403::Unknown client' }])
    expect(org.inspect.slots.used).toBe(1)
  })

  it('refuse a token of another user', async () => {
    const { org, client } = setUp({ users: [{}, { username: 'other@acme.example' }] })
    await client.start()
    client.token = org.session('other@acme.example').accessToken
    expect(await client.connect()).toMatchObject([{ error: "400::Authenticated user id does not match the session's user id" }])
    client.token = org.session().accessToken
    expect(await client.connect({ advice: { timeout: 0 } })).toMatchObject([{ successful: true }])
  })

  it('refuse clients that have not shaken hands, and connection types they do not have', async () => {
    const { client } = setUp()
    expect((await client.post({ channel: '/meta/connect', connectionType: 'long-polling' })).messages).toMatchObject([
      { error: '403::Client has not completed handshake' },
    ])
    await client.start()
    expect(await client.connect({ connectionType: 'websocket' })).toMatchObject([{ error: '400::Invalid connection type websocket' }])
  })

  it('S25 notice a revoked token on the held connect, at once or after a while', async () => {
    for (const delay of [0, 300_000]) {
      const { org, clock, client } = setUp({ switches: { revalidateTokenMs: delay, holdMs: 600_000 } })
      await client.start()
      const start = clock.now()
      const held = client.connect({ id: 'h' })
      await clock.settle()
      org.faults.revokeTokens()
      if (delay > 0) await clock.advance(delay)
      expect(await held).toEqual([
        {
          clientId: client.clientId,
          advice: { reconnect: 'none', interval: 0 },
          channel: '/meta/connect',
          id: 'h',
          error: '401::Authentication invalid',
          successful: false,
        },
      ])
      expect(clock.now() - start).toBe(delay)
      expect(await client.handshake()).toMatchObject({ ext: { sfdc: { failureReason: '401::Authentication invalid' } } })
    }
  })
})

describe('cookies', () => {
  it('are set at the handshake', async () => {
    const { client, clock } = setUp()
    const { response } = await client.post({ channel: '/meta/handshake', supportedConnectionTypes: ['long-polling'] })
    const lines = response.headers.getSetCookie()
    expect(lines).toHaveLength(4)
    expect(lines[0]).toMatch(/^sfdc-stream=!\S+=; path=\/; Expires=.* GMT; SameSite=None; Secure$/)
    expect(Date.parse(/Expires=([^;]+)/.exec(lines[0]!)![1]!) - clock.now()).toBe(10_800_000)
    expect(lines[1]).toMatch(/^BAYEUX_BROWSER=\S+;Path=\/cometd\/;Secure;HttpOnly$/)
    expect(lines[2]).toMatch(/^t=\w+;Path=\/cometd\/;HttpOnly$/)
    expect(lines[3]).toMatch(/^BrowserId=\w+;Path=\/;Domain=.salesforce.com;Expires=.*;Max-Age=5184000$/)
  })

  it('S24 are asked for: without BAYEUX_BROWSER nothing works past the handshake', async () => {
    const { client } = setUp()
    await client.start()
    client.cookies.delete('BAYEUX_BROWSER')
    expect(await client.connect({ id: 'x' })).toEqual([
      {
        clientId: client.clientId,
        channel: '/meta/connect',
        id: 'x',
        error: `400::Client ${client.clientId} has established a session, but no BAYEUX_BROWSER cookie present`,
        successful: false,
      },
    ])
  })

  it('S14 S15 tie a session to its node for three hours; only the new cookie reaches the new node', async () => {
    const { org, clock, client } = setUp({ switches: { nodes: 50 } })
    const start = clock.now()
    await client.start()
    const old = client.cookies.get('sfdc-stream')!
    let last: Message[] = []
    while (last[0]?.error === undefined) {
      const poll = client.connect()
      await clock.advance(110_000)
      last = await poll
    }
    expect(last).toMatchObject([{ error: '403::Unknown client', advice: { reconnect: 'handshake' } }])
    expect(clock.now() - start).toBeGreaterThan(10_800_000)
    expect(clock.now() - start).toBeLessThan(10_800_000 + 220_000)
    expect(client.cookies.get('sfdc-stream')).not.toBe(old)
    // A client that keeps the old cookie is sent anywhere.
    const stubborn = rawClient(org)
    stubborn.cookies.set('sfdc-stream', old)
    await stubborn.handshake()
    stubborn.cookies.set('sfdc-stream', old)
    expect(await stubborn.connect()).toMatchObject([{ error: '403::Unknown client' }])
    await client.start()
    expect(await client.connect({ advice: { timeout: 0 } })).toMatchObject([{ successful: true }])
  })
})

describe('delivery', () => {
  it('sends events that are published together in one reply, and those of a closed connection never again', async () => {
    const { org, clock, client } = setUp()
    await client.start()
    await client.subscribe(lowInk)
    const leave = new AbortController()
    const held = client.connect({}, leave.signal)
    await clock.settle()
    leave.abort(new Error('gone'))
    await expect(held).rejects.toThrow('gone')
    org.publish(lowInk, {})
    org.publish(lowInk, {})
    expect(dataOf(await client.connect())).toHaveLength(2)
    org.faults.next({ on: 'connect', kind: 'network-error', lost: 'reply' })
    org.publish(lowInk, {})
    await expect(client.connect()).rejects.toThrow(TypeError)
    expect(dataOf(await client.connect({ advice: { timeout: 0 } }))).toHaveLength(0)
    expect(org.inspect.deliveredTo(client.clientId)).toHaveLength(3)
  })

  it('bounds a reply, and puts data where the switches say', async () => {
    const { org, client } = setUp({ switches: { maxEventsPerReply: 2, dataOrder: 'after-reply', dataOn: 'any-reply' } })
    for (let number = 0; number < 3; number += 1) org.publish(lowInk, {})
    await client.start()
    const { messages } = await client.post({
      channel: '/meta/subscribe',
      clientId: client.clientId,
      subscription: lowInk,
      ext: { replay: { [lowInk]: -2 } },
    })
    expect(messages.map((message) => message.channel)).toEqual(['/meta/subscribe', lowInk, lowInk])
    expect((await client.connect()).map((message) => message.channel)).toEqual(['/meta/connect', lowInk])
  })

  it('S57 splits a group of equal ids over two replies', async () => {
    const { org, client } = setUp({ switches: { splitEqualIds: true } })
    const channel = '/data/AccountChangeEvent'
    await client.start()
    await client.subscribe(channel)
    org.publish(channel, { Name: 'A' })
    org.publish(channel, { Name: 'B' }, { group: 'same' })
    const one = dataOf(await client.connect())
    const two = dataOf(await client.connect())
    expect([one.length, two.length]).toEqual([1, 1])
    expect(id(one[0]!)).toBe(id(two[0]!))
  })

  it('starts replaying seconds after acceptance when told to, in order with what is published meanwhile', async () => {
    const { org, clock, client } = setUp({ switches: { replayDelayMs: 5_000 } })
    const ids = [org.publish(lowInk, {}).replayId]
    await client.start()
    await client.subscribe(lowInk, -2)
    const held = client.connect()
    await clock.advance(4_999)
    ids.push(org.publish(lowInk, {}).replayId)
    await clock.advance(1)
    expect(dataOf(await held).map(id)).toEqual(ids.map(Number))
  })

  it('dates events before they are logged when told to', () => {
    const { org, clock } = setUp({ switches: { eventDateLagMs: 300_000 } })
    const dates = Array.from({ length: 20 }, () => clock.now() - Date.parse(org.publish(lowInk, {}).createdDate))
    expect(Math.min(...dates)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...dates)).toBeLessThanOrEqual(300_000)
    expect(Math.max(...dates)).toBeGreaterThan(60_000)
  })

  it('S40 stops at the daily allocation, on connect and on subscribe, until the window has passed', async () => {
    const { org, clock, client } = setUp({ scenario: 'S40' })
    const limit = '403::Organization total events daily limit exceeded'
    await client.start()
    await client.subscribe(lowInk)
    for (let number = 0; number < 5; number += 1) org.publish(lowInk, {})
    expect(dataOf(await client.connect())).toHaveLength(5)
    expect(await client.connect()).toMatchObject([{ successful: false, error: limit }])
    expect(await client.subscribe('/event/Order_Event__e')).toMatchObject({ successful: false, error: limit })
    expect(await client.subscribe('/topic/InvoiceStatementUpdates')).toMatchObject({ successful: true })
    await clock.advance(86_400_000 + 1_440_000)
    client.token = org.session().accessToken
    await client.start()
    expect(await client.subscribe(lowInk)).toMatchObject({ successful: true })
  })
})

function id(message: Message): unknown {
  return (message.data as { event: { replayId: unknown } }).event.replayId
}
