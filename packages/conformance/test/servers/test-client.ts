import {
  type BayeuxMessage,
  type ClientOptions,
  type ClientStatus,
  createClient,
  type OrgSession,
  type Platform,
  type StreamEvent,
  type StreamingClient,
  type Subscription,
  type Transport,
} from '@sfstream/core'
import { onTestFinished } from 'vitest'
import { type JumpingClock, jumpingClock } from './jumping-clock.ts'
import type { NoticeBoard } from './notice-board.ts'

export const session: OrgSession = { accessToken: '00D000000000001!x', instanceUrl: 'https://acme.my.salesforce.com' }

/** A client whose statuses, messages and events are written down. */
export interface TestClient {
  client: StreamingClient
  clock: JumpingClock
  statuses: ClientStatus[]
  messages: BayeuxMessage[]
  /** Statuses of one type. */
  reports<K extends ClientStatus['type']>(type: K): Extract<ClientStatus, { type: K }>[]
  /** Reads a subscription to its end. */
  read(subscription: Subscription): Reading
}

export interface Reading {
  events: StreamEvent[]
  readonly payloads: unknown[]
  /** Why the loop ended: 'done', or the error; undefined while it runs. */
  ended: unknown
}

type BayeuxClientOptions = Extract<ClientOptions, { auth: unknown }>

/** How the clients of a test file get their bytes; `over-http.ts` changes it. */
export const wire: { transport?(platform: Partial<Platform>): Transport } = {}

/** A client of `endpoint` with short delays, on the machine's own fetch or on `wire`. Stopped when the test is over. */
export function testClient(board: NoticeBoard, endpoint: string, options: Partial<BayeuxClientOptions> = {}): TestClient {
  const clock = jumpingClock()
  const { retry, platform, ...rest } = options
  const client = createClient({
    auth: session,
    endpoint,
    ...(wire.transport && !platform?.fetch && { transport: wire.transport({ now: clock.now, delay: clock.delay, ...platform }) }),
    ...rest,
    platform: { now: clock.now, delay: clock.delay, ...platform },
    retry: {
      connect: { baseMs: 20, capMs: 200 },
      handshake: { baseMs: 20, capMs: 200 },
      subscribe: { baseMs: 20, capMs: 200 },
      auth: { baseMs: 20 },
      ...retry,
    },
  })
  const statuses: ClientStatus[] = []
  const messages: BayeuxMessage[] = []
  const drain = async <T>(from: AsyncIterable<T>, into: T[]): Promise<void> => {
    for await (const value of from) {
      into.push(value)
      board.changed()
    }
  }
  void drain(client.status(), statuses)
  void drain(client.messages(), messages)
  onTestFinished(() => client.stop())

  return {
    client,
    clock,
    statuses,
    messages,
    reports: <K extends ClientStatus['type']>(type: K) =>
      statuses.filter((status): status is Extract<ClientStatus, { type: K }> => status.type === type),
    read(subscription) {
      const reading: Reading = {
        events: [],
        get payloads() {
          return reading.events.map((event) => event.payload)
        },
        ended: undefined,
      }
      drain(subscription, reading.events).then(
        () => {
          reading.ended = 'done'
          board.changed()
        },
        (error: unknown) => {
          reading.ended = error
          board.changed()
        },
      )
      return reading
    },
  }
}
