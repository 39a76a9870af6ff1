import type { VirtualClock } from '@sfstream/mock-org'
import { describe, expect, it } from 'vitest'
import { cookieJar } from '../../src/bayeux/transport/cookie-jar.ts'
import { fetchTransport } from '../../src/bayeux/transport/fetch-transport.ts'
import type { Transport } from '../../src/bayeux/transport/transport.ts'
import type { BayeuxMessage, Platform, StreamingClient } from '../../src/index.ts'
import { webPlatform } from '../../src/platform.ts'
import { begin, gather, inTurn, type Reading, read, refusal, withRig } from '../support/rig.ts'
import { platformEvent, type ScriptedOrg, type SeenRequest, scriptedOrg } from '../support/scripted-org.ts'

/** A transport over the rig's org that writes down when requests leave, and waits where a test says. */
function noted(log: string[], flushed: () => Promise<void>): { transport: Transport; use(platform: Partial<Platform>): void } {
  let inner: Transport | undefined
  return {
    use(ports) {
      const platform = webPlatform(ports)
      inner = fetchTransport(platform, { jar: cookieJar(platform.now) })
    },
    transport: {
      exchange(request) {
        log.push(JSON.parse(request.body)[0].channel)
        return (inner as Transport).exchange(request)
      },
      flushed() {
        log.push('flushed')
        return flushed()
      },
    },
  }
}

const long = 'x'.repeat(10_000)

/** What happens, in order, once one event has come to a poll that was held for so long; `before`: so many polls before brought one at once. */
async function afterEvent(heldMs: number, text: string, canTell: boolean, before = 0): Promise<string[]> {
  const log: string[] = []
  const parts = noted(log, () => Promise.resolve())
  if (!canTell) delete parts.transport.flushed
  await withRig({ transport: parts.transport }, async ({ client, clock }) => {
    const org = scriptedOrg(clock.now)
    parts.use({ ...clock, fetch: org.fetch })
    begin(client)
    const subscription = client.subscribe('/event/Order__e')
    const loop = (async () => {
      for await (const event of subscription) log.push(String(event.replayId))
    })()
    await clock.runUntil(() => org.held === 1 && org.of('subscribe').length === 1)
    for (let sent = 0; sent < before; sent++) {
      log.length = 0
      org.push(platformEvent(6 - before + sent))
      await clock.runUntil(() => log.includes(String(6 - before + sent)) && org.held === 1)
    }
    log.length = 0
    await clock.advance(heldMs)
    org.push(platformEvent(7, '/event/Order__e', { Text__c: text }))
    await clock.runUntil(() => log.includes('7') && log.includes('/meta/connect'))
    await Promise.all([client.stop(), clock.advance(3_000)])
    await loop
  })
  return log
}

describe('what a poll brought [PROTOCOL C4]', () => {
  it.each([
    ['that was answered at once, as the four before', 0, '', 4],
    ['that was answered at once, and much', 0, long, 0],
    ['that was held, and much', 1_000, long, 0],
  ])('%s is read once the next poll is on the wire', async (_, heldMs, text, before) => {
    expect((await afterEvent(heldMs, text, true, before)).slice(0, 3)).toEqual(['/meta/connect', 'flushed', '7'])
  })

  it.each([
    ['that was held is handed out first', 1_000, '', true, 0],
    ['that was held is handed out first, though the four before were not', 1_000, '', true, 4],
    ['at once is handed out first: one is no backlog', 0, '', true, 0],
    ['at once is handed out first: nor are four', 0, '', true, 3],
    ['at once is handed out first where the next poll would not leave before', 0, '', false, 4],
    ['that was held is handed out first there too', 1_000, '', false, 0],
  ])('%s, if it is short', async (_, heldMs, text, canTell, before) => {
    expect((await afterEvent(heldMs, text, canTell, before)).slice(0, 2)).toEqual(['7', '/meta/connect'])
  })

  it('is read after the next poll has begun where nobody can tell when it leaves, if it is long', async () => {
    expect((await afterEvent(1_000, long, false)).slice(0, 2)).toEqual(['/meta/connect', '7'])
  })
})

describe('what happens while the next poll is being sent, however long that takes [PROTOCOL C4]', () => {
  const lost = (request: SeenRequest) => [refusal(request, '403::Unknown client')]
  const subscribedAt = (org: ScriptedOrg): unknown[] =>
    org.of('subscribe').flatMap(({ messages }) => messages.flatMap(({ ext }) => Object.values((ext as { replay: object }).replay)))

  /** An event has come, the next poll is on its way, and nothing was read of it yet. `release`: the poll has left. */
  async function withUnread(
    script: Parameters<typeof scriptedOrg>[1],
    body: (rig: { client: StreamingClient; clock: VirtualClock; org: ScriptedOrg; reading: Reading; release(): void }) => Promise<void>,
    before?: (rig: { client: StreamingClient; clock: VirtualClock; org: ScriptedOrg }) => Promise<void>,
  ): Promise<void> {
    const log: string[] = []
    let release = (): void => {}
    const parts = noted(log, () => new Promise<void>((resolve) => (release = resolve)))
    // With no replay of a gap, what is not taken is lost.
    await withRig({ transport: parts.transport, gap: 'report' }, async ({ client, clock }) => {
      const org = scriptedOrg(clock.now, script)
      parts.use({ ...clock, fetch: org.fetch })
      begin(client)
      const reading = read(client.subscribe('/event/Order__e'))
      await clock.runUntil(() => org.held === 1 && org.of('subscribe').length === 1)
      await before?.({ client, clock, org })
      org.push(platformEvent(7, '/event/Order__e', { Text__c: long }))
      await clock.runUntil(() => log.includes('flushed'))
      await body({ client, clock, org, reading, release: () => release() })
      // Late, and of no use any more.
      release()
      await Promise.all([client.stop(), clock.advance(3_000)])
    })
  }

  it('its reply is taken after the one before', async () => {
    await withUnread(undefined, async ({ clock, org, reading, release }) => {
      await clock.runUntil(() => org.held === 1)
      expect(reading.ids).toEqual([])
      org.push(platformEvent(8, '/event/Order__e', { Text__c: long }))
      await clock.runUntil(() => reading.ids.length === 1)
      release()
      await clock.runUntil(() => reading.ids.length === 2)
      expect(reading.ids).toEqual([7, 8])
    })
  })

  it('what two replies brought together fills the buffer before another poll leaves', async () => {
    const log: string[] = []
    const parts = noted(log, () => new Promise<void>(() => {}))
    const eight = (from: number): BayeuxMessage[] =>
      Array.from({ length: 8 }, (_, at) => platformEvent(from + at, '/event/Order__e', { Text__c: long }))
    await withRig({ transport: parts.transport }, async ({ client, clock }) => {
      const org = scriptedOrg(clock.now)
      parts.use({ ...clock, fetch: org.fetch })
      begin(client)
      const subscription = client.subscribe('/event/Order__e', { maxBuffered: 10 })
      await clock.runUntil(() => org.held === 1 && org.of('subscribe').length === 1)
      org.push(...eight(1))
      await clock.runUntil(() => log.includes('flushed') && org.held === 1)
      const { length } = org.of('connect')
      org.push(...eight(9))
      await clock.advance(10_000)
      expect(subscription.stats.buffered).toBe(16)
      expect(org.of('connect')).toHaveLength(length)
      await Promise.all([client.stop(), clock.advance(3_000)])
    })
  })

  it.each<[string, Parameters<typeof scriptedOrg>[1]]>([
    ['it is told that the session is lost', inTurn('connect', [undefined, undefined, lost])],
    ['it fails', inTurn('connect', [undefined, undefined, () => new TypeError('fetch failed')])],
  ])('%s: what the last one brought counts, and the channel goes on after it', async (_, script) => {
    await withUnread(script, async ({ clock, org, reading }) => {
      await clock.runUntil(() => org.of('subscribe').length === 2 && org.held === 1)
      expect(subscribedAt(org)).toEqual([-1, 7])
      expect(reading.ids).toEqual([7])
    })
  })

  it('a channel is opened that makes the session let its queue out: it is read before [PROTOCOL U8]', async () => {
    const other = '/event/Other__e'
    await withUnread(
      undefined,
      async ({ client, clock, org, reading, release }) => {
        client.subscribe(other)
        await clock.settle()
        release()
        await clock.runUntil(() => org.of('subscribe').flatMap(({ messages }) => messages).length === 4 && org.held === 1)
        expect(reading.ids).toEqual([7])
      },
      async ({ client, clock, org }) => {
        const closed = client.subscribe(other)
        await clock.runUntil(() => org.of('subscribe').length === 2)
        await closed.close()
        await clock.runUntil(() => org.of('unsubscribe').length === 1)
      },
    )
  })

  it('another request fails: it is read before that leaves', async () => {
    const script = inTurn('subscribe', [undefined, () => new TypeError('reset')])
    await withUnread(script, async ({ client, clock, org, reading }) => {
      client.subscribe('/event/Other__e')
      await clock.runUntil(() => org.of('subscribe').length === 3 && org.held === 1)
      expect(reading.ids).toEqual([7])
      expect(subscribedAt(org).slice(0, 1)).toEqual([-1])
      expect(subscribedAt(org)).toContain(7)
    })
  })

  it('the client is stopped: nothing of it is read, and nothing is sent any more', async () => {
    await withUnread(undefined, async ({ client, clock, org, release }) => {
      const messages: unknown[] = []
      void gather(client.messages(), messages)
      await Promise.all([client.stop(), clock.advance(3_000)])
      const { length } = org.requests
      release()
      await clock.advance(60_000)
      expect(messages.map((each) => (each as BayeuxMessage).channel)).not.toContain('/event/Order__e')
      expect(org.requests).toHaveLength(length)
      expect(org.held).toBe(0)
    })
  })
})
