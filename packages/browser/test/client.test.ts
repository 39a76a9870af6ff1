// @vitest-environment happy-dom
import { createClient, sessionStorageReplayStore } from '@sfstream/browser'
import { createClient as createSourceClient } from '@sfstream/browser/source'
import { createMockOrg, virtualClock } from '@sfstream/mock-org'
import { beforeEach, expect, test, vi } from 'vitest'
import { browserPageEvents } from '../src/page-events.ts'

const channel = '/event/Order_Event__e'
const key = { org: '00D000000000001', channel, consumer: 'default' }

beforeEach(() => {
  sessionStorage.clear()
})

test('positions are kept in sessionStorage unless another store, or none, is asked for', async () => {
  for (const replayStore of [undefined, null] as const) {
    sessionStorage.clear()
    const clock = virtualClock()
    const org = createMockOrg({ clock })
    org.publish(channel, { Number__c: 1 })
    const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
    const client = createClient({ auth: org.session(), platform, ...(replayStore === null ? { replayStore } : {}) })
    const events = client.subscribe(channel, { replay: 'all' })[Symbol.asyncIterator]()
    const first = events.next()
    await clock.runUntil(() => org.inspect.slots.used === 1)
    await clock.advance(1_000)
    expect((await first).done).toBe(false)
    void events.next()
    await clock.settle()
    expect(sessionStorage.length).toBe(replayStore === null ? 0 : 1)
    const stopped = client.stop()
    await clock.advance(3_000)
    await stopped
  }
})

test('a page that is left says goodbye, and goes on when it is back; nothing listens after stop()', async () => {
  const targets = [...new Set<EventTarget>([window, document, globalThis])]
  const added = targets.map((target) => vi.spyOn(target, 'addEventListener'))
  const removed = targets.map((target) => vi.spyOn(target, 'removeEventListener'))
  const clock = virtualClock()
  const org = createMockOrg({ clock })
  const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
  const client = createClient({ auth: org.session(), platform })
  const events = client.subscribe(channel)[Symbol.asyncIterator]()
  await clock.runUntil(() => org.inspect.subscriptions[channel] === 1)
  window.dispatchEvent(new Event('pagehide'))
  await clock.runUntil(() => org.inspect.slots.used === 0)
  org.publish(channel, { Number__c: 1 })
  window.dispatchEvent(new Event('pageshow'))
  const first = events.next()
  await clock.runUntil(() => org.inspect.subscriptions[channel] === 1)
  await clock.advance(1_000)
  expect((await first).value?.payload).toMatchObject({ Number__c: 1 })
  const stopped = client.stop()
  await clock.advance(3_000)
  await stopped
  const page = ['pagehide', 'pageshow', 'freeze', 'resume', 'online']
  const named = (spies: typeof added | typeof removed): string[] =>
    spies
      .flatMap(({ mock }) => mock.calls.map(([type]) => String(type)))
      .filter((type) => page.includes(type))
      .sort()
  expect(named(added)).toEqual([...page].sort())
  expect(named(removed)).toEqual([...page].sort())
  for (const spy of [...added, ...removed]) spy.mockRestore()
})

test('each event of the page reaches its callback once, and none after it was removed', () => {
  const heard: string[] = []
  const remove = browserPageEvents((what) => heard.push(what))
  const fire = (): void => {
    window.dispatchEvent(new Event('pagehide'))
    document.dispatchEvent(new Event('freeze'))
    document.dispatchEvent(new Event('resume'))
    window.dispatchEvent(new Event('pageshow'))
    globalThis.dispatchEvent(new Event('online'))
  }
  fire()
  expect(heard).toEqual(['hide', 'hide', 'show', 'show', 'online'])
  remove()
  fire()
  expect(heard).toHaveLength(5)
})

test('events of elements are not taken for those of the page, whatever they are called', () => {
  const heard: string[] = []
  const remove = browserPageEvents((what) => heard.push(what))
  const player = document.body.appendChild(document.createElement('div'))
  for (const type of ['freeze', 'resume', 'pagehide', 'pageshow', 'online'])
    for (const bubbles of [true, false]) player.dispatchEvent(new Event(type, { bubbles, composed: true }))
  expect(heard).toEqual([])
  document.dispatchEvent(new Event('freeze'))
  expect(heard).toEqual(['hide'])
  remove()
  player.remove()
})

test('storage that a page is denied is an error that says so', async () => {
  const denied = vi.spyOn(globalThis, 'sessionStorage', 'get').mockImplementation(() => {
    throw new DOMException('The operation is insecure.', 'SecurityError')
  })
  await expect(sessionStorageReplayStore().load(key)).rejects.toMatchObject({ code: 'store_unreadable' })
  denied.mockRestore()
})

test.each<[string, unknown[]]>([
  ['nothing at all', []],
  ['null', [null]],
  ['neither auth nor source', [{ replayStore: null }]],
])('%s is refused, and the error says what to pass first', (_, given) => {
  const refused = (remediation: string): Error =>
    expect.objectContaining({
      name: 'SfStreamError',
      code: 'bad_option',
      message: expect.stringMatching(/^createClient\(\) /),
      remediation,
    })
  expect(() => (createClient as (...given: unknown[]) => unknown)(...given)).toThrow(
    refused('Pass auth: { accessToken, instanceUrl }, or a source.'),
  )
  expect(() => (createSourceClient as (...given: unknown[]) => unknown)(...given)).toThrow(refused('Pass a source, such as relay(url).'))
})
