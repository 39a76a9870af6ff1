import { expect, it } from 'vitest'
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

it('what a poll brought is read once the next poll is on the wire [PROTOCOL C4]', async () => {
  const log: string[] = []
  const parts = noted(log, () => Promise.resolve())
  await withRig({ transport: parts.transport }, async ({ client, clock }) => {
    const org = scriptedOrg(clock.now)
    parts.use({ ...clock, fetch: org.fetch })
    begin(client)
    const subscription = client.subscribe('/event/Order__e')
    const loop = (async () => {
      for await (const event of subscription) {
        log.push(String(event.replayId))
        break
      }
    })()
    await clock.runUntil(() => org.held === 1 && org.of('subscribe').length === 1)
    log.length = 0
    org.push(platformEvent(7))
    await clock.runUntil(() => log.includes('7'))
    expect(log.slice(0, 3)).toEqual(['/meta/connect', 'flushed', '7'])
    await loop
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
