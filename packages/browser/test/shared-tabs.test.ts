import { type ClientStatus, createClient, memoryReplayStore, type StreamingClient } from '@sfstream/core'
import { createMockOrg, type MockOrg, type VirtualClock, virtualClock } from '@sfstream/mock-org'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PageEvent, PageEvents } from '../src/page-events.ts'
import { pageSource } from '../src/page-source.ts'
import { sharedTabs } from '../src/shared-tabs/shared-tabs.ts'
import { type Tab, type TabWorld, tabWorld } from './tab-world.ts'

const channel = '/event/Order_Event__e'

interface OpenTab {
  tab: Tab
  client: StreamingClient
  numbers: number[]
  statuses: ClientStatus[]
  /** How many events had been published when its subscription was accepted. */
  from: number | undefined
  /** It is frozen, or has been left: nothing reaches it. */
  isAway: boolean
  /** What befalls its page. */
  page(what: PageEvent): void
  close(): Promise<void>
  crash(): void
}

interface Bench {
  clock: VirtualClock
  org: MockOrg
  world: TabWorld
  open(options?: { paceMs?: number; replay?: 'new' | 'all' }): OpenTab
  publish(count?: number): void
  published(): number[]
}

function bench(seed = 1): Bench {
  const clock = virtualClock({ seed })
  const org = createMockOrg({ clock, seed })
  const world = tabWorld(clock)
  let number = 0
  const published = (): number[] => org.inspect.published(channel).map((message) => (message.payload as { Number__c: number }).Number__c)
  return {
    clock,
    org,
    world,
    publish(count = 1) {
      for (let each = 0; each < count; each++) org.publish(channel, { Number__c: ++number })
    },
    published,
    open({ paceMs = 0, replay = 'new' } = {}) {
      const tab = world.open()
      let isDead = false
      // What a tab that has crashed would still ask for is asked by nobody.
      const fetch = tab.fetch((input, init) => (isDead ? new Promise(() => {}) : org.fetch(input, init)))
      const platform = { fetch, now: clock.now, delay: tab.delay, random: clock.random }
      const inner: StreamingClient[] = []
      const source = sharedTabs({
        connect() {
          const made = createClient({ auth: org.session(), replayStore: null, platform })
          inner.push(made)
          return made
        },
        ports: tab.ports,
        platform,
      })
      const listeners = new Set<(what: PageEvent) => void>()
      const page: PageEvents = (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      }
      const client = createClient({ source: pageSource(source, page), replayStore: memoryReplayStore(), platform })
      const opened: OpenTab = {
        isAway: false,
        page(what) {
          for (const each of [...listeners]) each(what)
        },
        tab,
        client,
        numbers: [],
        statuses: [],
        from: undefined,
        close: () => client.stop(),
        crash() {
          isDead = true
          tab.crash()
          for (const each of inner) each.stop().catch(() => {})
        },
      }
      void (async () => {
        for await (const status of client.status()) opened.statuses.push(status)
      })()
      const subscription = client.subscribe<{ Number__c: number }>(channel, { replay, maxBuffered: 50 })
      subscription.ready.then(
        () => {
          opened.from = replay === 'all' ? 0 : published().length
        },
        () => {},
      )
      void (async () => {
        for await (const event of subscription) {
          if (isDead) return
          opened.numbers.push(event.payload.Number__c)
          if (paceMs > 0) await new Promise<void>((resolve) => void clock.delay(resolve, paceMs))
        }
      })().catch(() => {})
      return opened
    },
  }
}

const live = (org: MockOrg): number => org.inspect.slots.used

describe('shared tabs', () => {
  test('hold one session, whoever leads, and each has everything', async () => {
    const { clock, org, open, publish } = bench()
    const tabs = [open(), open(), open()]
    await clock.runUntil(() => tabs.every(({ from }) => from !== undefined))
    publish(5)
    await clock.runUntil(() => tabs.every(({ numbers }) => numbers.length === 5))
    expect(live(org)).toBe(1)
    expect(org.inspect.handshakes).toBe(1)
    await tabs[0]?.close()
    publish(5)
    await clock.runUntil(() => tabs.slice(1).every(({ numbers }) => numbers.length === 10))
    tabs[1]?.crash()
    publish(5)
    await clock.runUntil(() => tabs[2]?.numbers.length === 15)
    expect(tabs[2]?.numbers).toEqual(Array.from({ length: 15 }, (_, at) => at + 1))
    await tabs[2]?.close()
    for (const { tab } of tabs) expect(tab.isClean || tab === tabs[1]?.tab).toBe(true)
  })

  test('a tab that comes later gets new events; one with a position goes on from there', async () => {
    const { clock, open, publish } = bench()
    const first = open()
    await clock.runUntil(() => first.from !== undefined)
    publish(3)
    await clock.runUntil(() => first.numbers.length === 3)
    const second = open()
    const third = open({ replay: 'all' })
    await clock.runUntil(() => second.from !== undefined && third.numbers.length === 3)
    publish(2)
    await clock.runUntil(() => second.numbers.length === 2 && third.numbers.length === 5)
    expect(second.numbers).toEqual([4, 5])
    expect(third.numbers).toEqual([1, 2, 3, 4, 5])
    for (const each of [first, second, third]) await each.close()
  })

  test('a login that is refused fails every tab, and start() tries again', async () => {
    const { clock, org, world } = bench()
    let isRefused = true
    const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
    const open = (): StreamingClient => {
      const connect = (): StreamingClient =>
        createClient({ auth: isRefused ? { accessToken: 'x', instanceUrl: org.url } : org.session(), replayStore: null, platform })
      return createClient({ source: sharedTabs({ connect, ports: world.open().ports, platform }), replayStore: null, platform })
    }
    const tabs = [open(), open()]
    const starts = tabs.map((tab) =>
      tab.start().then(
        () => 'started',
        (error: Error) => error.name,
      ),
    )
    await clock.runUntil(() => tabs.every(({ state }) => state === 'failed'))
    expect(await Promise.all(starts)).toEqual(['AuthenticationError', 'AuthenticationError'])
    isRefused = false
    const again = tabs.map((tab) => tab.start())
    await clock.runUntil(() => tabs.every(({ state }) => state === 'live'))
    await Promise.all(again)
    for (const tab of tabs) await tab.stop()
  })

  test('without locks or channels each tab is by itself, and says so', async () => {
    const { clock, org } = bench()
    const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
    const source = sharedTabs({
      connect: () => createClient({ auth: org.session(), replayStore: null, platform }),
      platform,
      ports: null,
    })
    const statuses: ClientStatus[] = []
    const client = createClient({ source, platform, replayStore: null })
    void (async () => {
      for await (const status of client.status()) statuses.push(status)
    })()
    const started = client.start()
    await clock.runUntil(() => client.state === 'live')
    await started
    expect(statuses.some(({ type }) => type === 'notShared')).toBe(true)
    await client.stop()
  })
})

test('a page that is refused its locks has a session of its own, and says so', async () => {
  const { clock, org, world } = bench()
  const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
  const ports = { ...world.open().ports, lock: () => Promise.reject(new DOMException('denied', 'SecurityError')) }
  const connect = () => createClient({ auth: org.session(), replayStore: null, platform })
  const client = createClient({ source: sharedTabs({ connect, ports, platform }), replayStore: null, platform })
  const statuses = client.status()
  const started = client.start()
  await clock.runUntil(() => client.state === 'live')
  await started
  const said: ClientStatus[] = []
  void (async () => {
    for await (const status of statuses) said.push(status)
  })()
  await clock.settle()
  expect(said).toContainEqual({ type: 'notShared', reason: expect.stringContaining('denied') })
  await client.stop()
})

type Act =
  | { what: 'open'; paceMs: number; replay: 'new' | 'all' }
  | { what: 'close' | 'crash' | 'freeze' | 'leave' | 'wake' | 'online' | 'steal'; which: number }
  | { what: 'publish'; count: number }
  | { what: 'lose' }
  | { what: 'pass'; ms: number }

const which = fc.nat(5)
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('open' as const),
      paceMs: fc.constantFrom(0, 0, 20, 500),
      replay: fc.constantFrom('new' as const, 'all' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constantFrom(
        ...(['close', 'crash', 'freeze', 'freeze', 'leave', 'leave', 'wake', 'wake', 'wake', 'wake', 'online', 'steal'] as const),
      ),
      which,
    }),
  },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('lose' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant('pass' as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 30_000 }), fc.integer({ min: 1, max: 200_000 })),
    }),
  },
)

function freeze(it: OpenTab): void {
  it.isAway = true
  it.tab.freeze()
}
function leave(it: OpenTab): void {
  if (it.isAway) return
  it.page('hide')
  freeze(it)
}
function wake(it: OpenTab): void {
  it.isAway = false
  it.tab.thaw()
  it.page('show')
}

async function simulate(acts: readonly Act[], seed: number): Promise<void> {
  if (process.env.LAST) (await import('node:fs')).writeFileSync(process.env.LAST, JSON.stringify([acts, seed]))
  const { clock, org, world, open, publish, published } = bench(seed)
  const tabs: OpenTab[] = [open()]
  for (const each of acts) {
    const tab = 'which' in each ? tabs[each.which % tabs.length] : undefined
    if (each.what === 'open' && tabs.length < 6) tabs.push(open({ paceMs: each.paceMs, replay: each.replay }))
    else if (each.what === 'publish') publish(each.count)
    else if (each.what === 'lose') org.faults.loseSessions()
    else if (each.what === 'pass') await clock.advance(each.ms)
    else if (each.what === 'freeze' && tab) freeze(tab)
    else if (each.what === 'leave' && tab) leave(tab)
    else if (each.what === 'wake' && tab) wake(tab)
    else if (each.what === 'online' && !tab?.isAway) tab?.page('online')
    else if (each.what === 'steal') world.open().steal('sfstream leader')
    else if ((each.what === 'close' || each.what === 'crash') && tab && tabs.length > 1) {
      tabs.splice(tabs.indexOf(tab), 1)
      if (each.what === 'crash') tab.crash()
      else void tab.close()
    }
    await clock.advance(5)
  }
  const missing = ({ numbers, from }: OpenTab): number[] => {
    const had = new Set(numbers)
    return published()
      .slice(from ?? 0)
      .filter((number) => !had.has(number))
  }
  const gaps = ({ statuses }: OpenTab): number => statuses.filter(({ type }) => type === 'replayGap').length
  const haveAll = async (those: readonly OpenTab[]): Promise<void> => {
    await clock.runUntil(() => those.every((tab) => tab.from !== undefined && missing(tab).length === 0), 3_600_000).catch(() => {})
    for (const tab of those) expect(missing(tab), 'lost').toEqual([])
  }
  try {
    // Those that are away hold nobody up, whether they have said so or not.
    await haveAll(tabs.filter(({ isAway }) => !isAway))
    tabs.forEach(wake)
    await haveAll(tabs)
    for (const tab of tabs) {
      expect(tab.from, 'accepted').toBeDefined()
      expect(gaps(tab), 'gaps').toBe(0)
      expect(missing(tab), 'lost').toEqual([])
      expect(tab.numbers, 'in order, once').toEqual([...new Set(tab.numbers)].sort((a, b) => a - b))
    }
    // A stranger that has stolen the lock is given up on after a minute.
    await clock.advance(120_000)
    expect(live(org)).toBe(1)
  } finally {
    for (const tab of tabs) await tab.close()
  }
}

test('whatever happens to tabs and sessions, every tab has every event once and in order', async () => {
  await fc.assert(fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), fc.nat(), simulate), {
    numRuns: Number(process.env.TAB_RUNS ?? 50),
  })
})
