import { password } from '@sfstream/auth'
import {
  type ClientOptions,
  type ClientStatus,
  createClient,
  type StreamEvent,
  type StreamingClient,
  type Subscription,
} from '@sfstream/core'
import { createMockOrg, type MockOrg, type MockOrgOptions, type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { onTestFinished } from 'vitest'

export const channel = '/event/Low_Ink__e'

/** A whole client against a simulated org, under one virtual clock. */
export interface OrgBench {
  org: MockOrg
  clock: VirtualClock
  client: StreamingClient
  reports<K extends ClientStatus['type']>(type: K): Extract<ClientStatus, { type: K }>[]
  read(subscription: Subscription): Reading
  /** Goes on until a connect of this client is held. */
  held(): Promise<void>
  /** Requests of one kind so far. */
  count(kind: string): number
  /** Publishes sample events; returns their replay ids. */
  publish(times?: number): string[]
}

export interface Reading {
  events: StreamEvent[]
  readonly ids: string[]
  /** 'done', or why the loop failed; undefined while it runs. */
  ended: unknown
}

type BayeuxOptions = Extract<ClientOptions, { auth: unknown }>

export function orgBench(
  options: Partial<BayeuxOptions> = {},
  orgOptions: MockOrgOptions = {},
  shared: { org?: MockOrg; clock?: VirtualClock } = {},
): OrgBench {
  const clock = shared.clock ?? virtualClock({ seed: 3 })
  const org = shared.org ?? createMockOrg({ clock, seed: 3, ...orgOptions })
  const { clientId, clientSecret, username, password: secret, securityToken } = org.credentials
  const { platform, ...rest } = options
  const client = createClient({
    auth: password({ loginUrl: org.loginUrl, clientId, clientSecret, username, password: secret, securityToken }),
    ...rest,
    platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random, ...platform },
  })
  const statuses: ClientStatus[] = []
  void (async () => {
    for await (const status of client.status()) statuses.push(status)
  })()
  onTestFinished(async () => {
    await client.stop()
  })
  return {
    org,
    clock,
    client,
    reports: <K extends ClientStatus['type']>(type: K) =>
      statuses.filter((status): status is Extract<ClientStatus, { type: K }> => status.type === type),
    read(subscription) {
      const reading: Reading = {
        events: [],
        get ids() {
          return reading.events.map((event) => String(event.replayId))
        },
        ended: undefined,
      }
      void (async () => {
        try {
          for await (const event of subscription) reading.events.push(event)
          reading.ended = 'done'
        } catch (error) {
          reading.ended = error
        }
      })()
      return reading
    },
    held: () => clock.runUntil(() => org.inspect.sessions.some((session) => session.alive && session.connected)),
    count: (kind) => org.inspect.requests.filter(({ kinds }) => (kinds as readonly string[]).includes(kind)).length,
    publish: (times = 1) => Array.from({ length: times }, () => String(org.publishSample(channel).replayId)),
  }
}
