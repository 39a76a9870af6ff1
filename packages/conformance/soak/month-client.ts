import { getEventListeners } from 'node:events'
import type { MockOrg, VirtualClock } from '@sfstream/mock-org'
import { clientCredentials, createClient, memoryReplayStore, type StreamingClient } from '@sfstream/node'
import type { Day } from './day.ts'
import { numberOf, soakChannels } from './numbered-event.ts'
import { type SequenceCheck, sequenceCheck } from './sequence-check.ts'

export interface Consumer {
  channel: string
  check: SequenceCheck
  accepted: boolean
  /** Resolves at the loop's end, with its error, if any. */
  ended: Promise<unknown>
}

export interface MonthClient {
  client: StreamingClient
  consumers: readonly Consumer[]
  /** Resolves when `status()` has ended. */
  told: Promise<void>
  readonly openRequests: number
  /** Listeners on the signal given to the client. */
  readonly listeners: number
}

export interface MonthClientOptions {
  org: MockOrg
  clock: VirtualClock
  /** Where to count. */
  today(): Day
  /** How long the channel's consumer needs for an event now. */
  handlingMs(channel: string): number
}

/** A client with a consumer for each channel, which counts what it does. */
export function monthClient({ org, clock, today, handlingMs }: MonthClientOptions): MonthClient {
  let openRequests = 0
  const { signal } = new AbortController()
  const { clientId, clientSecret } = org.credentials
  const client = createClient({
    auth: clientCredentials({ loginUrl: org.url, clientId, clientSecret }),
    replayStore: memoryReplayStore(),
    signal,
    platform: {
      now: clock.now,
      delay: clock.delay,
      random: clock.random,
      async fetch(input, init) {
        today().requests += 1
        if (String(init?.body).includes('"/meta/handshake"')) today().handshakesTried += 1
        openRequests += 1
        try {
          return await org.fetch(input, init)
        } finally {
          openRequests -= 1
        }
      },
    },
  })
  return {
    client,
    told: countStatuses(client, today),
    consumers: soakChannels.map((channel) => consume(client, channel, clock, handlingMs)),
    get openRequests() {
      return openRequests
    },
    get listeners() {
      return getEventListeners(signal, 'abort').length
    },
  }
}

async function countStatuses(client: StreamingClient, today: () => Day): Promise<void> {
  for await (const { type } of client.status()) {
    if (type === 'rehandshake') today().rehandshakes += 1
    if (type === 'reauthenticated') today().reauthentications += 1
    if (type === 'paused') today().pauses += 1
    if (type === 'replayGap') today().gaps += 1
  }
}

function consume(client: StreamingClient, channel: string, clock: VirtualClock, handlingMs: (channel: string) => number): Consumer {
  const subscription = client.subscribe(channel, { maxBuffered: 50 })
  const check = sequenceCheck()
  const loop = async (): Promise<void> => {
    for await (const event of subscription) {
      const ms = handlingMs(channel)
      if (ms > 0) await new Promise<void>((resolve) => void clock.delay(resolve, ms))
      check.take(numberOf(event))
    }
  }
  const ended = loop().then(
    () => undefined,
    (error: unknown) => error,
  )
  const consumer: Consumer = { channel, check, accepted: false, ended }
  subscription.ready.then(
    () => {
      consumer.accepted = true
    },
    () => {},
  )
  return consumer
}
