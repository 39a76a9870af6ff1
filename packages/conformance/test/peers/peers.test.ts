import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Peer, type PeerName, type PeerOptions, type PeerReport, startPeer } from './peer-process.ts'

// Clients that nobody here wrote, as they come, against the mock org: they prove it real enough.

const order = '/event/Order_Event__e'
let server: MockOrgServer
const started: Peer[] = []

beforeEach(async () => {
  // Faye's cookie jar throws at a cookie for another domain; an org's own host is within salesforce.com.
  server = await startMockOrgServer({ switches: { browserIdDomain: 'host' } })
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((peer) => peer.kill()))
  await server.close()
})

async function start(name: PeerName, options: Partial<PeerOptions> & Pick<PeerOptions, 'subscriptions'>): Promise<Peer> {
  const peer = startPeer(name, { url: server.url, token: server.org.session().accessToken, ...options })
  started.push(peer)
  await peer.until((reports) => reports.some(({ kind }) => kind === 'ready' || kind === 'error'))
  return peer
}

const has =
  (kind: PeerReport['kind'], count = 1) =>
  (reports: readonly PeerReport[]) =>
    reports.filter((report) => report.kind === kind).length >= count
const ids = (peer: Peer) => peer.events().map(({ data }) => data?.event?.replayId)

/** One channel of each family, and what is published there. */
const families: [string, unknown][] = [
  [order, { Number__c: 1 }],
  ['/event/Printing__chn', { Serial_Number__c: '1' }],
  ['/data/AccountChangeEvent', { Name: 'Acme' }],
  ['/data/ChangeEvents', { Name: 'Acme' }],
  ['/data/HREvents__chn', { Name: 'Ada' }],
  ['/topic/InvoiceStatementUpdates', { Name: 'INV-1' }],
  ['/u/notifications/ExampleUserChannel', 'hello'],
  ['/systemTopic/Logging', {}],
]

describe.each(['cometd', 'faye', 'jsforce'] as const)('%s', (name) => {
  it('shakes hands, subscribes, and receives events of every family', async () => {
    const peer = await start(name, { subscriptions: families.map(([channel]) => ({ channel })) })
    expect(peer.reports).toEqual([{ kind: 'ready' }])
    for (const [channel, payload] of families) server.org.publish(channel, payload)
    const expected = families.flatMap(([channel]) => server.org.inspect.published(channel)).length
    await peer.until(has('event', expected))
    for (const [channel] of families) {
      const got = peer
        .events()
        .filter((report) => report.channel === channel)
        .map(({ data }) => String(data?.event?.replayId))
      expect(got, channel).toEqual(server.org.inspect.published(channel).map(({ replayId }) => String(replayId)))
    }
  })

  it('replays what follows an id, and all that is retained', async () => {
    const published = [1, 2, 3].map((number) => Number(server.org.publish(order, { Number__c: number }).replayId))
    const all = await start(name, { subscriptions: [{ channel: order, replay: -2 }] })
    await all.until(has('event', 3))
    expect(ids(all)).toEqual(published)
    const some = await start(name, { subscriptions: [{ channel: order, replay: published[0]! }] })
    await some.until(has('event', 2))
    expect(ids(some)).toEqual(published.slice(1))
  })

  it('recovers from a lost session by a new handshake', async () => {
    const peer = await start(name, { subscriptions: [{ channel: order }] })
    await connected()
    server.org.faults.loseSessions()
    await peer.until(has('again'))
    expect(peer.reports).toContainEqual(expect.objectContaining({ kind: 'failed', error: '403::Unknown client' }))
    await until(() => server.org.inspect.subscriptions[order] === 1)
    server.org.publish(order, { Number__c: 2 })
    await peer.until(has('event'))
    expect(server.org.inspect.slots.used).toBe(1)
  })

  it('is told that its token is not good', async () => {
    const peer = await start(name, { token: 'nonsense', subscriptions: [{ channel: order }] })
    expect(peer.reports).toContainEqual(
      expect.objectContaining({ kind: 'failed', error: '403::Handshake denied', reason: '401::Authentication invalid' }),
    )
    expect(peer.reports.at(-1)).toEqual({ kind: 'error', text: '401::Authentication invalid' })
    expect(server.org.inspect.slots.used).toBe(0)
  })

  it('is told on its held connect that its token was revoked', async () => {
    const peer = await start(name, { subscriptions: [{ channel: order }] })
    await connected()
    server.org.faults.revokeTokens()
    await peer.until(has('failed'))
    expect(peer.reports.find(({ kind }) => kind === 'failed')).toMatchObject({
      channel: '/meta/connect',
      error: '401::Authentication invalid',
    })
  })

  it('frees its slot when it disconnects', async () => {
    const peer = await start(name, { subscriptions: [{ channel: order }] })
    await connected()
    expect(server.org.inspect.slots.used).toBe(1)
    await peer.stop()
    expect(server.org.inspect.slots.used).toBe(0)
    expect(peer.reports.at(-1)).toEqual({ kind: 'stopped' })
  })
})

describe('@salesforce/core', () => {
  it.each(families.filter(([channel]) => !channel.startsWith('/systemTopic/')))(
    'receives an event of %s, and frees its slot',
    async (channel, payload) => {
      const peer = await start('salesforce-core', { subscriptions: [{ channel }], wanted: 1 })
      expect(peer.reports).toEqual([{ kind: 'ready' }])
      server.org.publish(channel, payload)
      await peer.until(has('ended'))
      expect(ids(peer).map(String)).toEqual(server.org.inspect.published(channel).map(({ replayId }) => replayId))
      await until(() => server.org.inspect.slots.used === 0)
    },
  )

  it('reads system topics at version 36.0, where the org still takes it', async () => {
    server.org.switches.oldestVersion = 23
    const peer = await start('salesforce-core', { subscriptions: [{ channel: '/systemTopic/TestResult' }], wanted: 1 })
    server.org.publish('/systemTopic/TestResult', { Id: '707000000000001AAA' })
    await peer.until(has('ended'))
    expect(peer.events()).toMatchObject([{ data: { sobject: { Id: '707000000000001AAA' } } }])
    expect(server.org.inspect.requests.some(({ path }) => path.startsWith('/cometd/36.0'))).toBe(true)
  })

  it('replays what follows an id', async () => {
    const published = [1, 2, 3].map((number) => Number(server.org.publish(order, { Number__c: number }).replayId))
    const peer = await start('salesforce-core', { subscriptions: [{ channel: order, replay: published[0]! }], wanted: 2 })
    await peer.until(has('ended'))
    expect(ids(peer)).toEqual(published.slice(1))
  })

  it('recovers from a lost session', async () => {
    const peer = await start('salesforce-core', { subscriptions: [{ channel: order }], wanted: 1 })
    await connected()
    server.org.faults.loseSessions()
    await until(() => server.org.inspect.handshakes === 2 && server.org.inspect.subscriptions[order] === 1)
    server.org.publish(order, {})
    await peer.until(has('ended'))
  })

  it('fails with a token that is not good', async () => {
    const peer = await start('salesforce-core', { token: 'nonsense', subscriptions: [{ channel: order }], wanted: 1 })
    expect(peer.reports).toEqual([{ kind: 'error', text: expect.stringMatching(/Bad_OAuth_Token/) }])
  })
})

async function connected(): Promise<void> {
  await until(() => server.org.inspect.sessions.some((session) => session.connected))
}

async function until(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { timeout: 15_000, interval: 5 })
}
