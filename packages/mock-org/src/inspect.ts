import type { Session } from './bayeux/session.ts'
import type { SessionTable } from './bayeux/session-table.ts'
import type { EventBody, LoggedEvent } from './events/logged-event.ts'
import type { SeenRequest } from './records.ts'
import type { UsageView } from './usage.ts'
import type { World } from './world.ts'

/** An event as it was logged on one channel. */
export interface PublishedEvent {
  channel: string
  /** As text, since it may pass 2^53; undefined for system topics. */
  replayId: string | undefined
  eventUuid: string | undefined
  /** ISO date the event claims. */
  createdDate: string
  /** When it was logged, in milliseconds since 1970. */
  loggedAt: number
  /** The payload, sobject, or string, as published. */
  payload: unknown
}

export interface SessionView {
  clientId: string
  node: number
  /** Living: connected or within its 40 s. */
  alive: boolean
  /** A connect is held now. */
  connected: boolean
  subscriptions: { channel: string; replay: string | undefined; since: number }[]
  queued: number
  connects: number
  /** The most connects that were in progress at once: a good client's is 1. */
  maxConcurrentConnects: number
  delivered: number
  createdAt: number
}

/** What happened, as the org saw it: the truth that tests and demonstrations compare with. */
export interface Inspect {
  /** Everything logged on a channel, in order; `retained` says whether a replay would still find it. */
  published(channel: string): (PublishedEvent & { retained: boolean })[]
  /** The newest requests, in order. */
  readonly requests: readonly SeenRequest[]
  /** Living sessions first, then ended ones. */
  readonly sessions: SessionView[]
  /** Channels with a living subscriber now, with their number. */
  readonly subscriptions: Record<string, number>
  /** Client slots in use, and the most ever. */
  readonly slots: { used: number; peak: number; limit: number }
  readonly handshakes: number
  readonly logins: number
  /** The most connects any session had in progress at once. */
  readonly maxConcurrentConnects: number
  /** Events written into replies of this session, in order: also those whose reply was lost. */
  deliveredTo(clientId: string): PublishedEvent[]
  /** The same over all sessions, by channel. */
  readonly deliveries: Record<string, number>
  /** What was drawn from the allocations within their windows. */
  readonly usage: UsageView
}

export interface InspectSources {
  world: World
  requests: readonly SeenRequest[]
  deliveries: Map<string, number>
}

export function inspect({ world, requests, deliveries }: InspectSources): Inspect {
  const { sessions, usage, limits, counts, bus } = world
  return {
    published: (channel) =>
      bus
        .log(channel)
        .history()
        .map(({ event, retained }) => ({ ...published(event), retained })),
    requests,
    get sessions() {
      return [...sessions.all().map((session) => view(session, true)), ...sessions.ended.map((session) => view(session, false))]
    },
    get subscriptions() {
      const channels: Record<string, number> = {}
      for (const session of sessions.all()) {
        for (const key of session.subscriptions.keys()) channels[key] = (channels[key] ?? 0) + 1
      }
      return channels
    },
    get slots() {
      return { used: sessions.all().length, peak: sessions.peak, limit: limits.concurrentClients }
    },
    get handshakes() {
      return counts.handshakes
    },
    get logins() {
      return counts.logins
    },
    get maxConcurrentConnects() {
      return Math.max(0, ...everyone(sessions).map((session) => session.connectsOpenMax))
    },
    deliveredTo: (clientId) =>
      everyone(sessions)
        .find((session) => session.clientId === clientId)
        ?.delivered.map(published) ?? [],
    get deliveries() {
      return Object.fromEntries(deliveries)
    },
    get usage() {
      return usage.used
    },
  }
}

function everyone(sessions: SessionTable): Session[] {
  return [...sessions.all(), ...sessions.ended]
}

function view(session: Session, alive: boolean): SessionView {
  return {
    clientId: session.clientId,
    node: session.node,
    alive,
    connected: session.held !== undefined,
    subscriptions: [...session.subscriptions.values()].map(({ key, replay, since }) => ({ channel: key, replay, since })),
    queued: session.queue.length,
    connects: session.connects,
    maxConcurrentConnects: session.connectsOpenMax,
    delivered: session.delivered.length,
    createdAt: session.createdAt,
  }
}

export function published(event: LoggedEvent): PublishedEvent {
  return {
    channel: event.channel,
    replayId: event.replayId?.toString(),
    eventUuid: event.eventUuid,
    createdDate: new Date(event.createdMs).toISOString(),
    loggedAt: event.loggedAt,
    payload: payloadOf(event.body),
  }
}

function payloadOf(body: EventBody): unknown {
  switch (body.kind) {
    case 'platform-event':
    case 'generic':
      return body.payload
    case 'change-event':
      return { ...body.payload, ChangeEventHeader: body.header }
    case 'push-topic':
    case 'system-topic':
      return body.sobject
  }
}
