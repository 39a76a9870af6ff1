import { createClient, memoryReplayStore } from '@sfstream/core'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { startPeer } from '../peers/peer-process.ts'
import { channel } from './org-bench.ts'

interface Trace {
  delivered: string[]
  published: string[]
  handshakes: number
  mostConnects: number
}

type Run = (server: MockOrgServer) => Promise<{ delivered(): string[]; stop(): Promise<unknown> }>

/** One script for every client: events, a lost session, events while nobody is subscribed, a broken connection, events. */
async function traceOf(run: Run): Promise<Trace> {
  const server = await startMockOrgServer({ seed: 5, switches: { browserIdDomain: 'host' } })
  const { org } = server
  const published = (): string[] => org.inspect.published(channel).map(({ replayId }) => String(replayId))
  const client = await run(server)
  const held = () =>
    vi.waitUntil(() => org.inspect.sessions.some(({ alive, connected, subscriptions }) => alive && connected && subscriptions.length), wait)
  const all = () => vi.waitUntil(() => new Set(client.delivered()).size === published().length, wait)
  await held()
  for (let n = 0; n < 3; n++) org.publishSample(channel)
  await all()
  await held()
  org.faults.loseSessions()
  org.publishSample(channel)
  await held()
  org.publishSample(channel)
  await all()
  await held()
  org.faults.cutConnections()
  await held()
  org.publishSample(channel)
  await all()
  const trace = {
    delivered: client.delivered(),
    published: published(),
    handshakes: org.inspect.handshakes,
    mostConnects: org.inspect.maxConcurrentConnects,
  }
  await client.stop()
  await server.close()
  return trace
}

const wait = { timeout: 10_000, interval: 5 }

const peer =
  (name: 'cometd' | 'faye'): Run =>
  async (server) => {
    const started = startPeer(name, { url: server.url, token: server.org.session().accessToken, subscriptions: [{ channel, replay: -1 }] })
    peers.push(started)
    await started.until((reports) => reports.some(({ kind }) => kind === 'ready'))
    return { delivered: () => started.events().map(({ data }) => String(data?.event?.replayId)), stop: () => started.stop() }
  }
const peers: ReturnType<typeof startPeer>[] = []

const ours: Run = async (server) => {
  const client = createClient({ auth: server.org.session(), replayStore: memoryReplayStore() })
  const delivered: string[] = []
  const subscription = client.subscribe(channel)
  void (async () => {
    for await (const event of subscription) delivered.push(String(event.replayId))
  })()
  await subscription.ready
  return { delivered: () => [...delivered], stop: () => client.stop() }
}

describe('the same script', () => {
  afterAll(() => Promise.all(peers.map((each) => each.kill())))

  it('C89 [S] ours against cometd and faye: all of them get every event; ours once, in order, with no more handshakes', async () => {
    const [own, cometd, faye] = await Promise.all([traceOf(ours), traceOf(peer('cometd')), traceOf(peer('faye'))])
    expect(own.delivered).toEqual(own.published)
    expect(own.mostConnects).toBe(1)
    for (const other of [cometd, faye]) {
      expect([...new Set(other.delivered)].sort()).toEqual([...other.published].sort())
      expect(own.handshakes).toBeLessThanOrEqual(other.handshakes)
      expect(own.mostConnects).toBeLessThanOrEqual(other.mostConnects)
    }
  })
})
