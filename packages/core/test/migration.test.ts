import { readFileSync } from 'node:fs'
import { type AuthProvider, password, refreshToken } from '@sfstream/auth'
import { createRestClient } from '@sfstream/rest'
import { describe, expect, it } from 'vitest'
import type { BayeuxMessage, Platform, ReplayPosition, TransportRequest } from '../src/index.ts'
import { credentials, grants, invoice, lowInk, oneRun, row, seen, topic } from './support/migration-row.ts'
import { errorOf, gather, read } from './support/rig.ts'

describe('migrating: making a client', () => {
  row('SimpleSalesforceStreaming, PasswordSalesforceStreaming', async ({ org, clock, make, connected }) => {
    const client = make({ auth: password(credentials(org)) })
    client.subscribe(topic)
    const reading = read(client.events())
    await connected(client)
    await clock.runUntil(() => org.inspect.subscriptions[topic] === 1)
    org.publish(topic, invoice('INV-1'))
    await clock.runUntil(() => reading.events.length === 1)
    expect(reading.events[0]).toMatchObject({ channel: topic, kind: 'push-topic', payload: { Name: 'INV-1' } })
    expect(grants(org)).toEqual([['password', 'https://login.salesforce.com']])
  })

  row('SimpleRefreshTokenSalesforceStreaming, RefreshTokenSalesforceStreaming', async ({ org, make, connected }) => {
    const { clientId, clientSecret, refreshToken: token } = org.credentials
    await connected(make({ auth: refreshToken({ refreshToken: token, clientId, clientSecret }) }))
    expect(grants(org)).toEqual([['refresh_token', 'https://login.salesforce.com']])
  })

  row('sandbox', async ({ org, make, connected }) => {
    await connected(make({ auth: password({ ...credentials(org), sandbox: true }) }))
    await connected(make({ auth: password({ ...credentials(org), loginUrl: org.url }) }))
    expect(grants(org)).toEqual([
      ['password', 'https://test.salesforce.com'],
      ['password', 'https://acme.my.salesforce.com'],
    ])
  })

  row('version', async ({ org, make, connected }) => {
    const client = make({ apiVersion: '58.0' })
    await connected(client)
    expect(new Set(org.inspect.requests.map(({ path }) => path))).toEqual(new Set(['/cometd/58.0/']))
  })

  row('connector, login_connector, loop', async ({ org, platform, make, connected }) => {
    const hosts = new Set<string>()
    const fetch: Platform['fetch'] = (input, init) => {
      hosts.add(new URL(input).host)
      return platform.fetch(input, init)
    }
    await connected(make({ auth: password(credentials(org)), platform: { ...platform, fetch } }))
    expect(hosts).toEqual(new Set(['login.salesforce.com', 'acme.my.salesforce.com']))
  })

  row('retry_sub_duration, retry_factor, retry_max_duration, retry_max_count', async ({ org, clock, make }) => {
    const retry = { subscribe: { baseMs: 100, factor: 1, capMs: 30_000, maxAttempts: 20, jitter: 'none' as const } }
    const client = make({ retry })
    org.faults.busy({ on: 'subscribe', times: 100 })
    const { ready } = client.subscribe(topic)
    const refused = errorOf(ready)
    await clock.advance(60_000)
    expect(await refused).toMatchObject({ code: 'server_busy' })
    const times = org.inspect.requests.filter(({ kinds }) => kinds.includes('subscribe')).map(({ at }) => at)
    expect(times.slice(1).map((at, index) => at - times[index]!)).toEqual(Array(19).fill(100))
  })

  row('token_url, fetch_token', async ({ org, make, connected }) => {
    let [calls, refused] = [0, 0]
    const auth: AuthProvider = {
      getSession: ({ rejected }) => {
        calls++
        if (rejected) refused++
        return Promise.resolve(org.session())
      },
    }
    const client = make({ auth })
    await connected(client)
    org.faults.revokeTokens()
    await connected(client)
    expect([calls, refused]).toEqual([2, 1])
    const byFunction = make({ auth: () => Promise.resolve(org.session()) })
    await connected(byFunction)
  })

  row('create_connected_session, close_session', async ({ platform, make, connected }) => {
    const posted: TransportRequest[] = []
    const client = make({
      transport: {
        async exchange(request) {
          posted.push(request)
          const { url, headers, body, signal } = request
          const response = await platform.fetch(url, { method: 'POST', headers: { ...headers, cookie: jar }, body, signal })
          jar =
            response.headers
              .getSetCookie()
              .map((line) => line.split(';')[0])
              .join('; ') || jar
          return { status: response.status, header: (name) => response.headers.get(name) ?? undefined, text: await response.text() }
        },
      },
    })
    let jar = ''
    await connected(client)
    expect(posted.length).toBeGreaterThanOrEqual(3)
    expect(posted[0]?.headers.authorization).toMatch(/^Bearer /)
  })
})

describe('migrating: using it', () => {
  row('start', async ({ org, clock, make }) => {
    const client = make()
    expect(org.inspect.requests).toEqual([])
    await Promise.all([client.start(), clock.runUntil(() => client.state === 'live')])
    // Optional: a subscription starts the client too.
    const other = make()
    await Promise.all([other.subscribe(topic).ready, clock.runUntil(() => other.state === 'live')])
  })

  row('subscribe', async ({ org, clock, make }) => {
    const client = make()
    const subscription = client.subscribe(topic)
    await Promise.all([subscription.ready, clock.runUntil(() => org.inspect.subscriptions[topic] === 1)])
    const refused = errorOf(client.subscribe('/event/No_Such_Event__e').ready)
    await clock.advance(1_000)
    expect(await refused).toMatchObject({ name: 'SubscribeError', channel: '/event/No_Such_Event__e' })
  })

  row('unsubscribe', async ({ org, clock, make }) => {
    const client = make()
    const [first, second] = [client.subscribe(topic), client.subscribe(lowInk)]
    await Promise.all([first.ready, second.ready, clock.runUntil(() => org.inspect.subscriptions[lowInk] === 1)])
    await Promise.all([client.unsubscribe(topic), clock.runUntil(() => !org.inspect.subscriptions[topic])])
    await Promise.all([second.close(), clock.runUntil(() => !org.inspect.subscriptions[lowInk])])
  })

  row('events', async ({ org, clock, make }) => {
    const client = make()
    const [mine, merged] = [read(client.subscribe(lowInk)), read(client.events())]
    await Promise.all([client.subscribe(topic).ready, clock.runUntil(() => org.inspect.subscriptions[lowInk] === 1)])
    org.publish(topic, invoice('INV-1'))
    org.publish(lowInk, { Printer_Model__c: 'XZO-5' })
    await clock.runUntil(() => merged.events.length + mine.events.length === 2)
    expect(merged.events.map(({ channel }) => channel)).toEqual([topic])
    expect(mine.events.map(({ channel }) => channel)).toEqual([lowInk])
  })

  row('messages', async ({ org, clock, make, connected }) => {
    const client = make()
    const messages: BayeuxMessage[] = []
    const [over, reading] = [gather(client.messages(), messages), read(client.subscribe(topic))]
    await connected(client)
    await clock.runUntil(() => org.inspect.subscriptions[topic] === 1)
    org.publish(topic, invoice('INV-1'))
    await clock.runUntil(() => reading.events.length === 1)
    expect(messages.map(({ channel }) => channel)).toEqual(
      expect.arrayContaining(['/meta/handshake', '/meta/subscribe', '/meta/connect', topic]),
    )
    await client.stop()
    await over
  })

  row('ask_stop', async ({ org, clock, make }) => {
    const client = make()
    const ids: unknown[] = []
    let over = false
    void (async () => {
      for await (const event of client.subscribe(topic)) {
        ids.push(event.payload)
        client.askStop()
      }
      over = true
    })()
    await clock.runUntil(() => org.inspect.subscriptions[topic] === 1)
    for (const name of ['INV-1', 'INV-2', 'INV-3']) org.publish(topic, invoice(name))
    await clock.runUntil(() => over)
    expect(ids).toMatchObject([{ Name: 'INV-1' }, { Name: 'INV-2' }, { Name: 'INV-3' }])
  })

  row('stop', async ({ org, clock, make, connected }) => {
    const client = make()
    await connected(client)
    const before = clock.now()
    await client.stop()
    expect(clock.now() - before).toBe(0)
    expect(org.inspect.slots.used).toBe(0)
    await connected(client)
  })

  row('send', async ({ org, clock, make, connected }) => {
    const client = make()
    await connected(client)
    const [replies] = await Promise.all([
      client.send({ channel: '/meta/subscribe', subscription: topic }),
      clock.runUntil(() => org.inspect.subscriptions[topic] === 1),
    ])
    expect(replies).toMatchObject([{ channel: '/meta/subscribe', successful: true, subscription: topic }])
    for (const channel of ['/meta/handshake', '/meta/connect', '/meta/disconnect']) {
      expect(await errorOf(client.send({ channel }))).toMatchObject({ name: 'StateError', code: 'reserved_channel' })
    }
  })

  row('handshake', async ({ org, make, connected }) => {
    await connected(make())
    expect(org.inspect.handshakes).toBe(1)
  })

  row('disconnect', async ({ org, make, connected }) => {
    const client = make()
    await connected(client)
    await client.stop()
    expect(org.inspect.requests.at(-1)?.channels).toEqual(['/meta/disconnect'])
  })

  row('end_point', async ({ make, connected }) => {
    const client = make()
    expect(client.endpoint).toBeUndefined()
    await connected(client)
    expect(client.endpoint?.href).toBe('https://acme.my.salesforce.com/cometd/66.0/')
  })

  row('get_handshake_payload, get_subscribe_payload, get_unsubscribe_payload', async ({ org, clock, make }) => {
    const sent: BayeuxMessage[] = []
    const outgoing = (message: BayeuxMessage): BayeuxMessage => {
      const changed = message.channel === '/meta/connect' ? { ...message, advice: { timeout: 60_000 } } : message
      sent.push(changed)
      return changed
    }
    const client = make({ extensions: [{ outgoing }] })
    const subscription = client.subscribe(topic)
    await Promise.all([subscription.ready, clock.runUntil(() => org.inspect.sessions.some(({ connected }) => connected))])
    await Promise.all([subscription.close(), clock.runUntil(() => !org.inspect.subscriptions[topic])])
    const kinds = sent.map(({ channel }) => channel)
    expect(kinds).toEqual(expect.arrayContaining(['/meta/handshake', '/meta/subscribe', '/meta/unsubscribe', '/meta/connect']))
    // The org saw what the extension made of it: it holds the poll for a minute only.
    const polls = (): number => org.inspect.requests.filter(({ kinds: each }) => each.includes('connect')).length
    const before = polls()
    await clock.advance(60_000)
    expect(polls()).toBe(before + 1)
  })

  row('get, post, request', async ({ org, clock, platform, make }) => {
    const auth = password(credentials(org))
    const client = make({ auth })
    const reading = read(client.subscribe(lowInk))
    await clock.runUntil(() => org.inspect.subscriptions[lowInk] === 1)
    const rest = createRestClient({ auth, platform })
    expect(await rest.get('/services/data/')).toEqual(expect.arrayContaining([expect.objectContaining({ version: '66.0' })]))
    expect(await rest.request('limits', { method: 'GET' })).toHaveProperty('DailyStreamingApiEvents')
    await rest.post('sobjects/Low_Ink__e', { body: { Printer_Model__c: 'XZO-5' } })
    await clock.runUntil(() => reading.events.length === 1)
    expect(org.inspect.logins).toBe(1)
  })
})

describe('migrating: replay', () => {
  row('ReplayType', async ({ org, clock, make }) => {
    org.publish(topic, invoice('INV-1'))
    await clock.advance(1_000)
    const all = make()
    const fresh = make()
    const [everything, later] = [read(all.subscribe(topic, { replay: 'all' })), read(fresh.subscribe(topic, { replay: 'new' }))]
    await clock.runUntil(() => org.inspect.subscriptions[topic] === 2)
    org.publish(topic, invoice('INV-2'))
    await clock.runUntil(() => everything.events.length === 2 && later.events.length === 1)
    expect(later.events[0]?.payload).toMatchObject({ Name: 'INV-2' })
  })

  row('store_replay_id, get_last_replay_id', async (scene) => {
    const rows = new Map<string, ReplayPosition>()
    const replayStore = {
      load: ({ channel }: { channel: string }) => Promise.resolve(rows.get(channel)),
      save: ({ channel }: { channel: string }, position: ReplayPosition) => {
        rows.set(channel, position)
        return Promise.resolve()
      },
    }
    expect(await oneRun(scene, { replayStore }, ['INV-1', 'INV-2'])).toEqual(['INV-1', 'INV-2'])
    const [, second] = scene.org.inspect.published(topic)
    expect(rows.get(topic)).toEqual({ replayId: Number(second?.replayId), createdDate: second?.createdDate })
    scene.org.publish(topic, invoice('INV-3'))
    await scene.clock.advance(60_000)
    expect(await oneRun(scene, { replayStore }, ['INV-4'], 2)).toEqual(['INV-3', 'INV-4'])
  })
})

describe('migrating: mixins', () => {
  row(
    'TimeoutAdviceMixin',
    async ({ clock, make, connected, org }) => {
      for (const followAdvice of [true, false]) {
        const client = make({ followAdvice })
        await connected(client)
        // The org advises 50 s, and then answers nothing any more.
        org.faults.next({ on: 'connect', kind: 'hold', times: 1 })
        const failures: string[] = []
        void gather(
          (async function* () {
            for await (const status of client.status()) if (status.type === 'retry') yield status.error.code
          })(),
          failures,
        )
        await clock.advance(50_000 + 71_000)
        expect(failures, `followAdvice: ${followAdvice}`).toEqual(followAdvice ? ['timeout'] : [])
        await client.stop()
        org.faults.clear()
      }
    },
    { switches: { holdMs: 50_000 } },
  )

  row('AutoReconnectMixin', async (scene) => {
    const { org, clock, make } = scene
    const client = make()
    const reading = read(client.subscribe(topic))
    await clock.runUntil(() => org.inspect.subscriptions[topic] === 1)
    org.publish(topic, invoice('INV-1'))
    await clock.runUntil(() => reading.events.length === 1)
    org.faults.loseSessions()
    await clock.runUntil(() => org.inspect.handshakes === 2 && org.inspect.subscriptions[topic] === 1)
    org.publish(topic, invoice('INV-2'))
    await clock.runUntil(() => reading.events.length === 2)
    const off = make({ reconnect: false })
    const ending = read(off.subscribe(lowInk))
    await clock.runUntil(() => org.inspect.subscriptions[lowInk] === 1)
    org.faults.loseSessions()
    await clock.runUntil(() => ending.over)
    expect(await ending.ended).toMatchObject({ name: 'HandshakeError', code: 'session_lost' })
  })

  row('ReSubscribeMixin', async ({ org, clock, make }) => {
    org.faults.busy({ on: 'subscribe', times: 3 })
    const client = make()
    await Promise.all([client.subscribe(topic).ready, clock.runUntil(() => org.inspect.subscriptions[topic] === 1)])
    org.faults.busy({ on: 'subscribe', times: 1 })
    const off = make({ retry: { subscribe: { maxAttempts: 1 } } })
    const refused = errorOf(off.subscribe(lowInk).ready)
    await clock.advance(1_000)
    expect(await refused).toMatchObject({ code: 'server_busy' })
  })

  row('ReplayMixin', async (scene) => {
    const { org, clock, make } = scene
    const client = make()
    const first = read(client.subscribe(topic))
    await clock.runUntil(() => org.inspect.subscriptions[topic] === 1)
    org.publish(topic, invoice('INV-1'))
    await clock.runUntil(() => first.events.length === 1)
    // On by default, also from one loop to the next.
    await client.stop()
    org.publish(topic, invoice('INV-2'))
    await clock.advance(1_000)
    const second = read(client.subscribe(topic))
    await clock.runUntil(() => second.events.length === 1)
    expect(second.events[0]?.payload).toMatchObject({ Name: 'INV-2' })
    await client.stop()
    // Turned off: nothing is stored, and no replay extension sent.
    const sent: BayeuxMessage[] = []
    const outgoing = (message: BayeuxMessage): BayeuxMessage => {
      sent.push(message)
      return message
    }
    const off = make({ replayStore: null, extensions: [{ outgoing }] })
    await Promise.all([off.subscribe(topic, { replay: 'off' }).ready, clock.runUntil(() => org.inspect.subscriptions[topic] === 1)])
    expect(sent.find(({ channel }) => channel === '/meta/subscribe')).not.toHaveProperty('ext')
  })

  row('AutoVersionMixin', async ({ org, make, connected }) => {
    await connected(make())
    expect(org.inspect.requests.some(({ kinds }) => kinds.includes('versions'))).toBe(false)
    const latest = make({ apiVersion: 'latest' })
    await connected(latest)
    expect(latest.endpoint?.pathname).toBe('/cometd/67.0/')
  })

  row('should_retry_on_error_response, should_retry_on_exception', async ({ org, clock, make }) => {
    const asked: string[] = []
    const shouldRetry = (error: { code: string }, attempt: number): Promise<boolean> => {
      asked.push(error.code)
      return Promise.resolve(attempt < 3)
    }
    org.faults.next({ on: 'subscribe', kind: 'network-error' })
    org.faults.deny(topic, '403::Restricted channel')
    const client = make({ retry: { subscribe: { shouldRetry } } })
    const refused = errorOf(client.subscribe(topic).ready)
    await clock.advance(600_000)
    expect(await refused).toMatchObject({ name: 'SubscribeError', server: { text: 'Restricted channel' } })
    expect(asked).toEqual(['network', 'subscribe_refused', 'subscribe_refused', 'subscribe_refused'])
  })
})

it('the guide and these tests name the same rows', () => {
  const guide = readFileSync(new URL('../../../docs/migrating-from-aio-sf-streaming.md', import.meta.url), 'utf8')
  const rows = [...guide.matchAll(/^\| (`[^|]+?) +\|/gm)].map(([, names]) => names!.replaceAll('`', ''))
  expect([...seen].sort()).toEqual(rows.sort())
  expect(rows.length).toBeGreaterThan(25)
})
