import {
  type ClientStatus,
  createClient,
  memoryReplayStore,
  type Platform,
  type ReplayStore,
  type StreamEvent,
  type StreamingClient,
  type SubscribeOptions,
} from '@sfstream/core'
import { createMockOrg, type MockOrg, type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { sharedTabs } from '../src/shared-tabs/shared-tabs.ts'
import { type Tab, type TabWorld, tabWorld } from './tab-world.ts'

export const channel = '/event/Order_Event__e'

/** Tabs that share a session with a simulated org. */
export interface TabBench {
  clock: VirtualClock
  org: MockOrg
  tabs: TabWorld
  publish(count: number): void
  /** A client of its own, as `connect` makes it. */
  connect(): StreamingClient
  open(options?: { connect?: () => StreamingClient; offMs?: number | (() => number); replayStore?: ReplayStore }): OpenTab
}

export interface OpenTab {
  tab: Tab
  client: StreamingClient
  statuses: ClientStatus[]
  read(options?: Read): { numbers: number[]; ended: Promise<unknown> }
}

export interface Read extends SubscribeOptions<Numbered> {
  /** What is done with each event. */
  body?(event: StreamEvent<Numbered>): unknown
}

export interface Numbered {
  Number__c: number
}

export function tabBench(seed = 1, latencyMs?: () => number): TabBench {
  const clock = virtualClock({ seed })
  const org = createMockOrg({ clock, seed })
  const tabs = tabWorld(clock, latencyMs)
  const platformOf = (offMs: number | (() => number) = 0, tab?: Tab): Partial<Platform> => ({
    fetch: tab ? tab.fetch(org.fetch) : org.fetch,
    now: () => clock.now() + (typeof offMs === 'number' ? offMs : offMs()),
    delay: tab?.delay ?? clock.delay,
    random: clock.random,
  })
  const connect = (platform = platformOf()): StreamingClient => createClient({ auth: org.session(), replayStore: null, platform })
  let number = 0
  return {
    clock,
    org,
    tabs,
    publish(count) {
      for (let each = 0; each < count; each++) org.publish(channel, { Number__c: ++number })
    },
    connect: () => connect(),
    open({ connect: given, offMs = 0, replayStore = memoryReplayStore() } = {}) {
      const tab = tabs.open()
      const platform = platformOf(offMs, tab)
      const source = sharedTabs({ connect: given ?? (() => connect(platform)), ports: tab.ports, platform })
      const client = createClient({ source, replayStore, platform })
      const statuses: ClientStatus[] = []
      void (async () => {
        for await (const status of client.status()) statuses.push(status)
      })()
      return {
        tab,
        client,
        statuses,
        read({ body, ...options } = {}) {
          const numbers: number[] = []
          const run = async (): Promise<void> => {
            for await (const event of client.subscribe<Numbered>(channel, options)) {
              numbers.push(event.payload.Number__c)
              await body?.(event)
            }
          }
          const ended = run()
          ended.catch(() => {})
          return { numbers, ended }
        },
      }
    },
  }
}
