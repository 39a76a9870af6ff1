import { createClient, memoryReplayStore, type ReplayStore, type StreamingClient } from '@sfstream/core'
import { bayeuxSource, cookieJar, fetchTransport, webPlatform } from '@sfstream/core/internal'
import { createMockOrg, type MockOrg, type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { describe, expect, test } from 'vitest'
import type { PageEvent, PageEvents } from '../src/page-events.ts'
import { pageSource } from '../src/page-source.ts'

const channel = '/event/Order_Event__e'

interface Page {
  events: PageEvents
  readonly listeners: number
  hide(): void
  show(): void
  online(): void
}

function scriptedPage(): Page {
  const listeners = new Set<(what: PageEvent) => void>()
  const fire = (what: PageEvent) => () => {
    for (const each of [...listeners]) each(what)
  }
  return {
    events(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    get listeners() {
      return listeners.size
    },
    hide: fire('hide'),
    show: fire('show'),
    online: fire('online'),
  }
}

interface Rig {
  clock: VirtualClock
  org: MockOrg
  page: Page
  client: StreamingClient
  seen: unknown[]
  states: string[]
  publish(): void
}

function rig(replayStore: ReplayStore = memoryReplayStore(), clock = virtualClock()): Rig {
  const org = createMockOrg({ clock })
  const page = scriptedPage()
  const ports = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
  const platform = webPlatform(ports)
  const transport = fetchTransport(platform, { jar: cookieJar(platform.now) })
  const source = pageSource(bayeuxSource({ auth: org.session(), transport }, platform), page.events)
  const client = createClient({ source, platform: ports, replayStore })
  const seen: unknown[] = []
  const states: string[] = []
  let number = 0
  void (async () => {
    for await (const status of client.status()) if (status.type === 'state') states.push(status.state)
  })()
  return { clock, org, page, client, seen, states, publish: () => void org.publish(channel, { Number__c: ++number }) }
}

function listen({ client, seen }: Rig): void {
  void (async () => {
    for await (const event of client.subscribe(channel)) seen.push((event.payload as { Number__c: number }).Number__c)
  })()
}

describe('a page that is left', () => {
  test('while a stored position is being read: no session is begun for the channel until it is back', async () => {
    const clock = virtualClock()
    const stored = memoryReplayStore()
    const slow: ReplayStore = {
      save: (key, position) => stored.save(key, position),
      load: (key) => new Promise((resolve) => void clock.delay(() => resolve(stored.load(key)), 50)),
    }
    const it = rig(slow, clock)
    await Promise.all([it.client.start(), clock.runUntil(() => it.client.state === 'live')])
    listen(it)
    await clock.advance(20)
    it.page.hide()
    await clock.advance(60_000)
    expect(it.org.inspect.handshakes).toBe(1)
    expect(it.org.inspect.slots.used).toBe(0)
    it.page.show()
    await clock.runUntil(() => it.org.inspect.subscriptions[channel] !== undefined)
    it.publish()
    await clock.runUntil(() => it.seen.length === 1)
    await Promise.all([it.client.stop(), clock.advance(3_000)])
  })

  test('says goodbye at once, holds nothing, and goes on after the last event when it is back', async () => {
    const it = rig()
    listen(it)
    await it.clock.runUntil(() => it.client.state === 'live')
    it.publish()
    await it.clock.runUntil(() => it.seen.length === 1)
    it.page.hide()
    it.page.hide()
    await it.clock.settle()
    expect(it.org.inspect.slots.used).toBe(0)
    expect(it.clock.pending).toBe(0)
    expect(it.client.state).toBe('waiting')
    it.publish()
    await it.clock.advance(3_600_000)
    expect(it.seen).toEqual([1])
    it.page.show()
    await it.clock.runUntil(() => it.seen.length === 2)
    it.publish()
    await it.clock.runUntil(() => it.seen.length === 3)
    expect(it.seen).toEqual([1, 2, 3])
    expect(it.org.inspect.handshakes).toBe(2)
    expect(it.states).not.toContain('stopped')
    await it.client.stop()
    expect(it.page.listeners).toBe(0)
    expect(it.clock.pending).toBe(0)
  })

  test('in the middle of a handshake: the subscription is there when it is back', async () => {
    const it = rig()
    it.org.faults.next({ on: 'handshake', kind: 'delay', ms: 5_000 })
    listen(it)
    await it.clock.advance(1_000)
    it.page.hide()
    await it.clock.advance(60_000)
    it.page.show()
    await it.clock.runUntil(() => it.client.state === 'live')
    it.publish()
    await it.clock.runUntil(() => it.seen.length === 1)
    await it.client.stop()
  })

  test('and stopped while it is away: the loops end, and showing it again begins nothing', async () => {
    const it = rig()
    listen(it)
    await it.clock.runUntil(() => it.client.state === 'live')
    it.page.hide()
    await it.clock.settle()
    const starting = it.client.start()
    await it.client.stop()
    await expect(starting).rejects.toMatchObject({ code: 'client_stopped' })
    it.page.show()
    await it.clock.advance(60_000)
    expect(it.org.inspect.handshakes).toBe(1)
    expect(it.page.listeners).toBe(0)
  })
})

test('a client that has failed is not begun again by its page', async () => {
  const it = rig()
  it.org.faults.revokeTokens()
  await expect(it.client.start()).rejects.toMatchObject({ code: 'token_refused' })
  const { length } = it.org.inspect.requests
  it.page.hide()
  it.page.show()
  it.page.online()
  await it.clock.advance(60_000)
  expect(it.org.inspect.requests).toHaveLength(length)
  await it.client.stop()
})

describe('a network that comes back', () => {
  test('as the page is left: nothing begins until it is back', async () => {
    const it = rig()
    listen(it)
    await it.clock.runUntil(() => it.client.state === 'live')
    const back = it.org.faults.offline()
    await it.clock.runUntil(() => it.client.state === 'waiting')
    back()
    it.page.online()
    it.page.hide()
    await it.clock.advance(60_000)
    expect(it.org.inspect.handshakes).toBe(1)
    it.page.show()
    it.publish()
    await it.clock.runUntil(() => it.seen.length === 1)
    await it.client.stop()
  })

  test('is used at once, whatever delay was running; a live session is left alone', async () => {
    const it = rig()
    listen(it)
    await it.clock.runUntil(() => it.client.state === 'live')
    it.page.online()
    await it.clock.settle()
    expect(it.org.inspect.handshakes).toBe(1)
    const back = it.org.faults.offline()
    await it.clock.runUntil(() => it.client.state === 'waiting')
    await it.clock.advance(300_000)
    await it.clock.runUntil(() => it.client.state === 'waiting')
    back()
    const at = it.clock.now()
    it.page.online()
    await it.clock.runUntil(() => it.client.state === 'live')
    expect(it.clock.now() - at).toBeLessThan(100)
    it.publish()
    await it.clock.runUntil(() => it.seen.length === 1)
    await it.client.stop()
  })
})
