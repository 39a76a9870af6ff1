import { describe, expect, it } from 'vitest'
import { cookieJar } from '../../src/bayeux/transport/cookie-jar.ts'
import { fetchTransport } from '../../src/bayeux/transport/fetch-transport.ts'
import type { Transport } from '../../src/bayeux/transport/transport.ts'
import type { Platform } from '../../src/index.ts'
import { webPlatform } from '../../src/platform.ts'
import { begin, withRig } from '../support/rig.ts'
import { platformEvent, scriptedOrg } from '../support/scripted-org.ts'

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

/** What happens, in order, once one event has come to a poll that was held for so long. */
async function afterEvent(heldMs: number, text: string, canTell: boolean): Promise<string[]> {
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
  const long = 'x'.repeat(10_000)

  it.each([
    ['that was answered at once', 0, ''],
    ['that was answered at once, and much', 0, long],
    ['that was held, and much', 1_000, long],
  ])('%s is read once the next poll is on the wire', async (_, heldMs, text) => {
    expect((await afterEvent(heldMs, text, true)).slice(0, 3)).toEqual(['/meta/connect', 'flushed', '7'])
  })

  it.each([
    ['that was held is handed out first', 1_000, '', true],
    ['at once is handed out first where the next poll would not leave before', 0, '', false],
    ['that was held is handed out first there too', 1_000, '', false],
  ])('%s, if it is short', async (_, heldMs, text, canTell) => {
    expect((await afterEvent(heldMs, text, canTell)).slice(0, 2)).toEqual(['7', '/meta/connect'])
  })

  it('is read after the next poll has begun where nobody can tell when it leaves, if it is long', async () => {
    expect((await afterEvent(1_000, long, false)).slice(0, 2)).toEqual(['/meta/connect', '7'])
  })
})

it('a session that ends meanwhile takes nothing of it', async () => {
  const log: string[] = []
  let release = (): void => {}
  const parts = noted(log, () => new Promise<void>((resolve) => (release = resolve)))
  await withRig({ transport: parts.transport }, async ({ client, clock }) => {
    const org = scriptedOrg(clock.now)
    parts.use({ ...clock, fetch: org.fetch })
    const messages: unknown[] = []
    void (async () => {
      for await (const { channel } of client.messages()) messages.push(channel)
    })()
    begin(client)
    client.subscribe('/event/Order__e')
    await clock.runUntil(() => org.held === 1 && org.of('subscribe').length === 1)
    org.push(platformEvent(7))
    await clock.runUntil(() => log.includes('flushed'))
    await Promise.all([client.stop(), clock.advance(3_000)])
    release()
    await clock.advance(1_000)
    expect(messages).not.toContain('/event/Order__e')
    expect(org.held).toBe(0)
  })
})
