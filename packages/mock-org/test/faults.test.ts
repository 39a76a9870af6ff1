import { createMockOrg, type Fault, type MockOrgOptions, scenarioIds, scenarioTitles, virtualClock } from '@sfstream/mock-org'
import { describe, expect, it } from 'vitest'
import { dataOf, type Message, type RawClient, rawClient } from './raw-client.ts'

function setUp(options: MockOrgOptions = {}) {
  const clock = virtualClock()
  const org = createMockOrg({ clock, ...options })
  return { clock, org, client: rawClient(org) }
}

const order = '/event/Order_Event__e'

describe('single faults', () => {
  const versions = (org: ReturnType<typeof setUp>['org'], init?: RequestInit) => org.fetch(`${org.url}/services/data/`, init)

  it('wait for their kind of request, pass some over, and befall a number of them', async () => {
    const { org } = setUp()
    org.faults.next({ on: 'versions', after: 1, times: 2, kind: 'http', status: 503, body: 'busy', headers: { 'Retry-After': '5' } })
    const statuses = []
    for (let number = 0; number < 4; number += 1) statuses.push((await versions(org)).status)
    expect(statuses).toEqual([200, 503, 503, 200])
    expect(org.faults.pending).toBe(0)
  })

  it('refuse logins and REST calls in the form of each', async () => {
    const { org } = setUp()
    org.faults.next({ on: 'token', kind: 'refuse', error: 'invalid_grant', description: 'ip restricted' })
    org.faults.next({ on: 'soap', kind: 'refuse', error: 'PASSWORD_LOCKOUT', description: 'a < b' })
    org.faults.next({ on: 'rest', kind: 'refuse', status: 403, error: 'API_DISABLED_FOR_ORG', description: 'off' })
    const post = async (path: string) => {
      const reply = await org.fetch(org.url + path, { method: 'POST' })
      return [reply.status, await reply.text()]
    }
    expect(await post('/services/oauth2/token')).toEqual([400, '{"error":"invalid_grant","error_description":"ip restricted"}'])
    const [status, text] = await post('/services/Soap/u/64.0')
    expect([status, text]).toEqual([500, expect.stringContaining('<faultstring>PASSWORD_LOCKOUT: a &lt; b</faultstring>')])
    expect(await post('/services/data/v66.0/limits')).toEqual([403, '[{"message":"off","errorCode":"API_DISABLED_FOR_ORG"}]'])
    expect(org.faults.pending).toBe(0)
  })

  it('can be taken back', async () => {
    const { org } = setUp()
    const undo = org.faults.next({ on: 'any', kind: 'http', status: 500 })
    org.faults.next({ on: 'token', kind: 'hold' })
    undo()
    expect(org.faults.pending).toBe(1)
    org.faults.clear()
    expect(org.faults.pending).toBe(0)
    expect((await versions(org)).status).toBe(200)
  })

  it('cut a body: what came before the break is read, then the stream fails', async () => {
    const { org } = setUp()
    for (const [fault, length] of [
      [{ kind: 'cut', afterBytes: 10 }, 10],
      [{ kind: 'cut-after-body' }, undefined],
    ] as [Fault, number | undefined][]) {
      const whole = (await (await versions(org)).text()).length
      org.faults.next({ ...fault, on: 'versions' })
      const reader = (await versions(org)).body!.getReader()
      let got = 0
      const read = async (): Promise<void> => {
        const { done, value } = await reader.read()
        got += value?.length ?? 0
        if (!done) await read()
      }
      await expect(read()).rejects.toThrow(TypeError)
      expect(got).toBe(length ?? whole)
    }
  })

  it('delay, trickle, and hold, all by the clock, until the request is aborted', async () => {
    const { org, clock } = setUp()
    const start = clock.now()
    org.faults.next({ on: 'versions', kind: 'delay', ms: 5_000 })
    const delayed = versions(org).then(() => clock.now() - start)
    await clock.advance(10_000)
    expect(await delayed).toBe(5_000)
    org.faults.next({ on: 'versions', kind: 'drip', bytes: 1_000, everyMs: 1_000 })
    const from = clock.now()
    const trickled = versions(org).then(async (reply) => [(await reply.text()).length, clock.now() - from] as const)
    await clock.advance(10_000)
    const [length, took] = await trickled
    expect(took).toBe(Math.ceil(length / 1_000) * 1_000)
    for (const kind of ['hold', 'drip'] as const) {
      org.faults.next(kind === 'hold' ? { on: 'versions', kind } : { on: 'versions', kind, bytes: 1, everyMs: 1_000 })
      const abort = new AbortController()
      const reply = versions(org, { signal: abort.signal }).then((response) => response.text())
      await clock.advance(3_000)
      abort.abort(new Error('enough'))
      await expect(reply).rejects.toThrow('enough')
      await clock.settle()
      expect(clock.pending).toBe(0)
    }
  })

  it('lose the request or only its reply', async () => {
    const { org, client } = setUp()
    org.faults.next({ on: 'handshake', kind: 'network-error' })
    await expect(client.handshake()).rejects.toThrow(TypeError)
    expect(org.inspect.slots.used).toBe(0)
    org.faults.next({ on: 'handshake', kind: 'network-error', lost: 'reply' })
    await expect(client.handshake()).rejects.toThrow(TypeError)
    expect(org.inspect.slots.used).toBe(1)
    expect(org.inspect.requests.map(({ status }) => status)).toEqual(['lost', 'lost'])
  })

  it('fail one message of a batch, in any shape', async () => {
    const { org, client } = setUp()
    await client.start()
    org.faults.next({
      on: 'subscribe',
      channel: order,
      kind: 'fail',
      error: '403::No',
      failureReason: '503::Why',
      reconnect: 'retry',
      kicked: true,
      without: ['channel', 'id'],
    })
    const base = { channel: '/meta/subscribe', id: 's', clientId: client.clientId }
    const send = (subscription: string) =>
      client.post([
        { ...base, subscription },
        { ...base, channel: '/meta/unsubscribe', subscription },
      ])
    expect((await send('/event/Low_Ink__e')).messages).toMatchObject([{ successful: true }, { successful: true }])
    expect((await send(order)).messages).toEqual([
      { channel: '/meta/disconnect' },
      {
        clientId: client.clientId,
        subscription: order,
        error: '403::No',
        successful: false,
        ext: { sfdc: { failureReason: '503::Why' } },
        advice: { interval: 0, reconnect: 'retry' },
      },
      { clientId: client.clientId, channel: '/meta/unsubscribe', id: 's', subscription: order, successful: true },
    ])
  })

  it('put other messages or another body in place of the reply', async () => {
    const { org, client } = setUp()
    org.faults.next({ on: 'handshake', kind: 'messages', messages: (sent) => [{ channel: '/x', id: sent[0]!.id! }] })
    expect(await client.handshake({ id: 'q' })).toEqual({ channel: '/x', id: 'q' })
    org.faults.next({ on: 'handshake', kind: 'rewrite', body: (body) => `\uFEFF${body.length}` })
    expect((await client.post({ channel: '/meta/handshake', supportedConnectionTypes: ['long-polling'] })).text).toMatch(/^\uFEFF?\d+$/)
  })

  it('redirect as a fetch would be: followed without the token elsewhere, refused, or handed out', async () => {
    const { org } = setUp()
    const headers = { Authorization: 'Bearer secret' }
    const redirect = { on: 'versions', kind: 'http', status: 302 } as const
    org.faults.next({ ...redirect, headers: { Location: 'https://elsewhere.example/' } })
    await expect(versions(org, { headers })).rejects.toThrow(TypeError)
    org.faults.next({ ...redirect, headers: { Location: '/services/data' } })
    expect((await versions(org, { headers })).status).toBe(200)
    org.faults.next({ ...redirect, headers: { Location: `${org.loginUrl}/services/oauth2/userinfo` } })
    expect(await (await versions(org, { headers })).text()).toBe('Missing_OAuth_Token')
    org.faults.next({ ...redirect, headers: { Location: '/' } })
    await expect(versions(org, { redirect: 'error' })).rejects.toThrow(TypeError)
    org.faults.next({ ...redirect, headers: { Location: '/' } })
    expect((await versions(org, { redirect: 'manual' })).status).toBe(302)
  })

  it('are recorded with the requests, without secrets', async () => {
    const { org, client } = setUp()
    await client.start()
    const [handshake, connect] = org.inspect.requests
    expect(handshake).toMatchObject({
      method: 'POST',
      origin: org.url,
      path: '/cometd/66.0',
      kinds: ['cometd', 'handshake'],
      clientId: undefined,
      status: 200,
    })
    expect(connect).toMatchObject({
      channels: ['/meta/connect'],
      clientId: client.clientId,
      bearer: expect.stringMatching(/^[0-9a-f]{8}$/),
    })
    expect(JSON.stringify(org.inspect.requests)).not.toContain(client.token)
  })
})

describe('what befalls a steady session', () => {
  async function steady(options: MockOrgOptions = {}) {
    const all = setUp(options)
    await all.client.start()
    await all.client.subscribe(order)
    const held = all.client.connect()
    await all.clock.settle()
    return { ...all, held }
  }

  it('offline, and back', async () => {
    const { org, client, held } = await steady()
    const back = org.faults.offline()
    await expect(held).rejects.toThrow(TypeError)
    await expect(client.connect()).rejects.toThrow(TypeError)
    back()
    expect(await client.connect({ advice: { timeout: 0 } })).toMatchObject([{ successful: true }])
  })

  it('one session of several is lost', async () => {
    const { org, clock, client, held } = await steady()
    const other = await rawClient(org).start()
    const otherHeld = other.connect()
    await clock.settle()
    org.faults.loseSessions({ clientId: client.clientId })
    expect(await held).toMatchObject([{ error: '403::Unknown client', advice: { reconnect: 'handshake' } }])
    expect(org.inspect.slots.used).toBe(1)
    await clock.advance(110_000)
    expect(await otherHeld).toMatchObject([{ successful: true }])
  })

  it('busy, protected, denied', async () => {
    const { org, client, held } = await steady()
    const busy = '503::Server is too busy.  Please try your request again later.'
    org.publish(order, {})
    await held
    org.faults.busy()
    expect(await client.connect()).toMatchObject([
      { error: '401::Authentication invalid', ext: { sfdc: { failureReason: busy } }, advice: { reconnect: 'none' } },
    ])
    org.faults.busy({ on: 'subscribe' })
    expect(await client.subscribe(order)).toMatchObject({
      error: '403:denied_by_security_policy:subscribe_denied',
      ext: { sfdc: { failureReason: busy } },
    })
    org.faults.deny(order, '403::User not enabled for streaming')
    expect(await client.subscribe(order)).toMatchObject({ error: '403::User not enabled for streaming' })
    org.faults.deny(order)
    expect(await client.subscribe(order)).toMatchObject({ successful: true })
    org.faults.protect()
    expect(await client.handshake()).toMatchObject({
      error: '403::Handshake denied',
      ext: { sfdc: { failureReason: expect.stringContaining('To protect all customers') } },
    })
  })
})

/** A client of few wits, to set scenarios off: it polls, and begins again after any failure. Says what it met. */
async function poller(client: RawClient, met: Set<string>, polls: number): Promise<void> {
  let alive = false
  for (let poll = 0; poll < polls; poll += 1) {
    try {
      if (!alive) {
        const reply = await client.handshake()
        if (reply) note(reply, met)
        else met.add('no messages')
        if (reply?.successful !== true) continue
        for (const message of await client.connect()) note(message, met)
        const subscribed = await client.subscribe(order, -2)
        if (subscribed) note(subscribed, met)
        else met.add('no messages')
        alive = subscribed?.successful === true
      }
      const messages = await client.connect()
      if (messages.length === 0) met.add('no messages')
      for (const message of messages) note(message, met)
      if (messages.some((message) => message.successful === false || message.channel === '/meta/disconnect')) alive = false
    } catch (error) {
      met.add(`${(error as Error).name}: ${(error as Error).message}`)
    }
  }
}

function note(message: Message, met: Set<string>): void {
  const reason = (message.ext as { sfdc?: { failureReason?: string } } | undefined)?.sfdc?.failureReason
  if (message.error) met.add(String(reason ?? message.error))
  else if (message.channel === '/meta/disconnect') met.add('disconnect')
  else if (message.data !== undefined) met.add('data')
  if ((message.advice as Message | undefined)?.['multiple-clients']) met.add('multiple-clients')
}

describe('scenarios', () => {
  it('are S01 to S62, and the cases of other Bayeux software that a server or a network makes, each with a title', () => {
    const ofSalesforce = scenarioIds.filter((id) => id.startsWith('S'))
    expect(ofSalesforce).toEqual(Array.from({ length: 62 }, (_, index) => `S${String(index + 1).padStart(2, '0')}`))
    const others = scenarioIds.slice(62)
    expect(others).toEqual([...others].sort())
    expect(others.every((id) => /^C\d\d$/.test(id) && Number(id.slice(1)) <= 90)).toBe(true)
    expect(new Set(Object.values(scenarioTitles)).size).toBe(scenarioIds.length)
    for (const id of scenarioIds) expect(scenarioTitles[id].length).toBeGreaterThan(10)
    expect(() => createMockOrg({ scenario: 'S99' })).toThrow(/no scenario S99/)
  })

  it.each([
    ['S02', ['data']],
    ['S03', ['data']],
    ['S04', ['data']],
    ['S06', ['data']],
    ['S08', ['data']],
    ['S09', ['data']],
    ['S13', ['403::Unknown client']],
    ['S14', ['403::Unknown client']],
    ['S15', ['403::Unknown client']],
    ['S16', ['disconnect', '403::Unknown client']],
    ['S17', ['403::Unknown client']],
    ['S18', ['disconnect']],
    ['S19', ['403::Unknown client']],
    ['S22', ['402::Unknown client']],
    ['S23', ['multiple-clients']],
    ['S24', [/no BAYEUX_BROWSER cookie present/]],
    ['S25', ['401::Authentication invalid']],
    ['S26', ['401::Authentication invalid']],
    ['S27', ['401::Request requires authentication']],
    ['S28', ['401::Authentication invalid']],
    ['S29', ['401::Authentication invalid']],
    ['S30', ['disconnect', '401::Authentication invalid']],
    ['S32', ['401::Authentication invalid']],
    ['S37', [/^503::Server is too busy/]],
    ['S38', ['403::Organization concurrent user limit exceeded']],
    ['S39', [/^403::To protect all customers/]],
    ['S41', ['403::Unknown client']],
    ['S42', [/wasn't found using the provided replay ID map \{\{\}\}/]],
    ['S43', ['403:denied_by_security_policy:create_denied']],
    ['S44', ['no messages']],
    ['S45', [/Unsupported API version/]],
    ['S46', [/does not match the session's user id/]],
    ['S47', ['TypeError: fetch failed', 'TypeError: terminated']],
    ['S48', ['no messages']],
    ['S49', ['no messages']],
    ['S50', ['no messages', /^SyntaxError/]],
    ['S51', ['no messages']],
    ['S52', ['TypeError: fetch failed']],
    ['S54', ['TypeError: fetch failed']],
    ['S56', ['data']],
    ['S60', ['data']],
    ['C03', ['403::Unknown client']],
    ['C04', ['403::Unknown client', '403::Handshake denied']],
    ['C05', ['403::Handshake denied']],
    ['C06', ['403::Handshake denied']],
    ['C08', ['401::Request requires authentication']],
    ['C09', ['403::Unknown client', '401::Authentication invalid']],
    ['C10', ['403::Organization concurrent user limit exceeded']],
    ['C11', ['403::Unknown client', 'no messages']],
    ['C13', ['403::Unknown client', 'data']],
    ['C24', ['404::message_deleted']],
    ['C27', ['403::Go away']],
    ['C28', ['409::Something else']],
    ['C34', ['402::session_unknown']],
    ['C35', ['409::Odd']],
    ['C37', ['402::session_unknown']],
    ['C38', ['403::Unknown client']],
    ['C39', ['402::session_unknown']],
    ['C41', [/^401:\w+:Unknown client$/]],
    ['C43', ['TypeError: fetch failed']],
    ['C44', ['disconnect', '401::Authentication invalid']],
    ['C45', ['disconnect']],
    ['C51', ['403:denied_by_security_policy:create_denied']],
    ['C61', ['TypeError: fetch failed']],
    ['C63', ['500::Internal']],
    ['C64', ['403::Unknown client', 'data']],
    ['C72', [/no BAYEUX_BROWSER cookie present/]],
    ['C77', ['TypeError: fetch failed', 'TypeError: terminated']],
    ['C82', ['TypeError: fetch failed']],
    ['C86', ['401::Authentication invalid']],
  ] as [string, (string | RegExp)[]][])('%s comes over any client that polls', async (scenario, expected) => {
    const { org, clock, client } = setUp({ scenario })
    const met = new Set<string>()
    let done = false
    void poller(client, met, 8).then(() => {
      done = true
    })
    await clock.runUntil(() => done, 86_400_000)
    for (const one of expected) expect([...met]).toContainEqual(typeof one === 'string' ? one : expect.stringMatching(one))
    expect(org.inspect.maxConcurrentConnects).toBeLessThanOrEqual(1)
  })

  it('arm without a fault of their own making', async () => {
    // Who has no deadlines waits for ever where nothing is answered.
    const unanswered = ['C12', 'C22', 'C25', 'C52']
    for (const scenario of scenarioIds.filter((id) => !unanswered.includes(id))) {
      const { clock, client } = setUp({ scenario })
      const met = new Set<string>()
      let done = false
      void poller(client, met, 3).then(() => {
        done = true
      })
      await clock.runUntil(() => done, 10 * 86_400_000)
      for (const text of met) expect(text, scenario).not.toMatch(/ReferenceError|The org has no channel/)
    }
  })

  it('S35 S36 befall logins', async () => {
    const { org } = setUp({ scenario: 'S35' })
    const login = () =>
      org.fetch(`${org.url}/services/oauth2/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'magic' }) })
    expect([(await login()).status, (await login()).status, (await login()).status]).toEqual([503, 503, 400])
    org.faults.scenario('S36')
    const soap = await org.fetch(`${org.loginUrl}/services/Soap/u/46.0`, { method: 'POST', body: '' })
    expect([soap.status, await soap.text()]).toEqual([500, expect.stringContaining('sf:INVALID_LOGIN')])
  })

  it('S07 puts events on the reply to a subscribe', async () => {
    const { client } = setUp({ scenario: 'S07' })
    await client.start()
    const ext = { replay: { [order]: -2 } }
    const { messages } = await client.post({ channel: '/meta/subscribe', clientId: client.clientId, subscription: order, ext })
    expect(dataOf(messages)).toHaveLength(3)
  })

  it('S55 numbers ids and turns replies round', async () => {
    const { client } = setUp({ scenario: 'S55' })
    await client.start()
    const base = { clientId: client.clientId, subscription: order }
    const { messages } = await client.post([
      { ...base, channel: '/meta/subscribe', id: '1' },
      { ...base, channel: '/meta/unsubscribe', id: '2' },
    ])
    expect(messages.map((message) => message.id)).toEqual([2, 1])
  })

  it('S57 S58 S59 make change events of every kind', async () => {
    for (const [scenario, count] of [
      ['S57', 2],
      ['S58', 5],
      ['S59', 1],
    ] as const) {
      const { org, clock, client } = setUp({ scenario })
      await client.start()
      await client.subscribe('/data/AccountChangeEvent')
      await clock.advance(1_000)
      const data = dataOf(await client.connect())
      while (data.length < count) data.push(...dataOf(await client.connect()))
      expect(org.inspect.published('/data/AccountChangeEvent')).toHaveLength(count)
    }
  })
})
