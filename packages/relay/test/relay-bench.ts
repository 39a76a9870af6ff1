import {
  type ClientOptions,
  type ClientStatus,
  createClient,
  memoryReplayStore,
  type StreamEvent,
  type StreamingClient,
} from '@sfstream/core'
import { createMockOrg, type MockOrg, type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { createRelay, type Relay, type RelayOptions } from '@sfstream/relay'
import { relay as relaySource } from '@sfstream/relay/client'

export const channel = '/event/Order_Event__e'
export const other = '/event/Low_Ink__e'
export const url = 'https://relay.example/events'

/** An org, a relay and browsers, in one process and under virtual time. */
export interface RelayBench {
  clock: VirtualClock
  org: MockOrg
  relay: Relay
  /** Requests that have reached the relay. */
  requests: Request[]
  /** All that stand behind one address. */
  relays: readonly Relay[]
  /** Others in their place, as after a restart; or in the place of one. */
  restart(options?: Partial<RelayOptions>, which?: number): Promise<void>
  /** Breaks every stream that is open. */
  cut(): void
  request(path: string, headers?: Record<string, string>): Request
  get(path: string, headers?: Record<string, string>): Promise<Response>
  browser(options?: Partial<ClientOptions>): Browser
  /** `shared`: of some, the ids are those of the ones before, as enriched change events have them. */
  publish(count?: number, on?: string, ids?: 'own' | 'shared'): void
  published(on?: string): unknown[]
}

export interface Browser {
  client: StreamingClient
  statuses: ClientStatus[]
  /** Numbers of the events of a subscription, as they come. */
  read(on?: string, replay?: 'all' | 'new' | 'stored'): { numbers: unknown[]; events: StreamEvent[]; ended: Promise<unknown> }
}

/** With several relays, each request meets one of them, by chance. */
export function relayBench(
  options: Partial<RelayOptions> = {},
  orgOptions: Parameters<typeof createMockOrg>[0] = {},
  relayCount = 1,
): RelayBench {
  const clock = virtualClock()
  const org = createMockOrg({ clock, ...orgOptions })
  const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
  const make = (more: Partial<RelayOptions> = {}): Relay =>
    createRelay({
      connect: () => createClient({ auth: org.session(), replayStore: null, platform }),
      channels: [channel, other],
      authorize: () => true,
      platform,
      ...options,
      ...more,
    })
  const relays = Array.from({ length: relayCount }, () => make())
  const requests: Request[] = []
  const open = new Set<() => void>()
  let number = 0

  /** What a network does: the body passes through something that can break. */
  const fetchRelay = async (input: string | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init)
    requests.push(request)
    const response = await (relays[Math.floor(clock.random() * relays.length)] as Relay)(request)
    if (!response.body || !response.headers.get('content-type')?.includes('event-stream')) return response
    const reader = response.body.getReader()
    let fail = (): void => {}
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          fail = () => {
            open.delete(fail)
            controller.error(new TypeError('the connection was reset'))
            reader.cancel().catch(() => {})
          }
          open.add(fail)
          request.signal.addEventListener('abort', () => fail())
        },
        async pull(controller) {
          const { done, value } = await reader.read()
          if (!open.has(fail)) return
          if (!done) return controller.enqueue(value)
          open.delete(fail)
          controller.close()
        },
        cancel: (reason) => {
          open.delete(fail)
          return reader.cancel(reason)
        },
      },
      { highWaterMark: 0 },
    )
    return new Response(body, response)
  }

  return {
    clock,
    org,
    requests,
    get relay() {
      return relays[0] as Relay
    },
    relays,
    async restart(more, which) {
      for (const [at, relay] of relays.entries()) {
        if (which !== undefined && which !== at) continue
        await relay.close()
        relays[at] = make(more)
      }
    },
    cut() {
      for (const fail of [...open]) fail()
    },
    request: (path, headers = {}) => new Request(url + path, { headers }),
    get: (path, headers) => fetchRelay(url + path, headers ? { headers } : {}),
    browser(clientOptions = {}) {
      const ports = { ...platform, fetch: fetchRelay }
      const client = createClient({
        source: relaySource(url, { platform: ports }),
        replayStore: memoryReplayStore(),
        platform: ports,
        ...clientOptions,
      } as ClientOptions)
      const statuses: ClientStatus[] = []
      void (async () => {
        for await (const status of client.status()) statuses.push(status)
      })()
      return {
        client,
        statuses,
        read(on = channel, replay = 'stored') {
          const numbers: unknown[] = []
          const events: StreamEvent[] = []
          const run = async (): Promise<void> => {
            for await (const event of client.subscribe<{ Number__c: number }>(on, { replay })) {
              numbers.push(event.payload.Number__c)
              events.push(event)
            }
          }
          const ended = run()
          ended.catch(() => {})
          return { numbers, events, ended }
        },
      }
    },
    publish(count = 1, on = channel, ids = 'own') {
      for (let i = 0; i < count; i++) {
        const isShared = ids === 'shared' && i > 0 && number % 5 > 2
        org.publish(on, { Number__c: ++number }, isShared ? { group: 'same' } : {})
      }
    },
    published: (on = channel) => org.inspect.published(on).map((message) => (message.payload as { Number__c: number }).Number__c),
  }
}
