import {
  type ClientStatus,
  type Platform,
  type ReplayId,
  type SourceState,
  type SourceStatus,
  type StartPosition,
  StateError,
  type StreamEvent,
  type StreamingClient,
} from '@sfstream/core'
import { type ChannelHub, channelHub, type HubItem, type HubReader, isMark, slots, tell } from '@sfstream/core/internal'
import type { FeedNews, LeaderMessage, Stamp, TabFeed, TabMessage } from './tab-messages.ts'

export interface TabLeaderParts {
  epoch: number
  /** Makes the client that holds the session, and one for each replay. */
  connect(): StreamingClient
  platform: Platform
  /** To every tab, this one too. */
  send(message: LeaderMessage): void
  /** The tabs that are there. */
  living(): Promise<ReadonlySet<string>>
}

/** The part of the tab that holds the session for all. */
export interface TabLeader {
  receive(message: TabMessage): void
  stop(): Promise<void>
}

interface Served extends TabFeed {
  tab: string
  reader: HubReader<string> | undefined
  /** It has asked for a batch. */
  hasRoom: boolean
}

/** How long a new leader waits for tabs that are there but do not answer: they may be frozen. */
const rollCallMs = 1_000
/** How often tabs that have ended without a word are looked for. */
const lookMs = 15_000
/** At a time to one tab. */
const batchBytes = 262_144
const limits = { maxEvents: 10_000, maxBytes: 16_777_216 }

export function tabLeader({ epoch, connect, platform, send, living }: TabLeaderParts): TabLeader {
  const served = new Map<string, Served>()
  const hubs = new Map<string, ChannelHub<string>>()
  const replays = slots(1)
  const answered = new Set<string>()
  const cancels = new Set<() => void>()
  let client: StreamingClient | undefined
  let org: string | undefined
  let state: SourceState = 'handshaking'
  let failure: unknown
  let failures = 0
  let begun = false
  /** Some tab asks for a session. */
  let wanted = false
  let stopped = false
  let stopping: Promise<void> | undefined
  let hubNumber = 0

  const key = (tab: string, feed: number): string => `${tab} ${feed}`
  const later = (callback: () => void, ms: number): void => {
    const cancel = platform.delay(() => {
      cancels.delete(cancel)
      callback()
    }, ms)
    cancels.add(cancel)
  }
  const skewMs = (): number => (client ? client.now() - platform.now() : 0)
  const tellSession = (): void => {
    send({ type: 'session', epoch, org, skewMs: skewMs(), state, failures, ...(failure === undefined ? {} : { error: tell(failure) }) })
  }

  const watch = async (watched: StreamingClient): Promise<void> => {
    for await (const status of watched.status()) {
      if (client !== watched) return
      if (status.type === 'state') {
        if (status.state === 'failed') return fail(status.error)
        state = status.state
        tellSession()
      } else if (status.type === 'replayGap') {
        const { type: _, channel, ...gap } = status
        hubs.get(channel)?.gap(gap)
        // Positions are kept by org: every tab begins anew there.
        if (status.reason === 'other-org') tellOrg(watched)
      } else if (status.type === 'resubscribed') hubs.get(status.channel)?.resubscribed()
      else if (isOfSession(status))
        send({ type: 'status', epoch, status: withoutError(status), ...('error' in status ? { error: tell(status.error) } : {}) })
    }
  }
  const tellOrg = (of: StreamingClient): void => {
    of.org().then(
      (name) => {
        if (client !== of) return
        // What the windows hold is of no use in another org, where the same ids are other events.
        if (org !== undefined && org !== name) letGo()
        org = name
        tellSession()
      },
      () => {},
    )
  }
  const letGo = (): void => {
    for (const hub of hubs.values()) void hub.close()
    hubs.clear()
    served.clear()
  }
  /** Every tab is told, and ends all that it holds open; `start()` in any of them begins anew. */
  const fail = (error: unknown): void => {
    const failed = client
    client = undefined
    org = undefined
    failure = error
    failures++
    state = 'failed'
    letGo()
    tellSession()
    failed?.stop().catch(() => {})
  }
  /** What a program's `connect` returns, if it is a client. */
  const made = (): StreamingClient => {
    const given = connect()
    if (typeof given?.subscribe === 'function') return given
    throw new StateError({
      code: 'bad_option',
      message: `sharedTabs: connect returned ${given === undefined ? 'nothing' : 'what is no client'}.`,
      remediation: 'Return createClient({ …, replayStore: null }).',
    })
  }
  /** Undefined once it has failed. */
  const session = (): StreamingClient | undefined => {
    if (client || failure !== undefined) return client
    try {
      client = made()
    } catch (error) {
      fail(error)
      return undefined
    }
    const begun = client
    watch(begun).catch(() => {})
    tellOrg(begun)
    begun.start().catch((error: unknown) => {
      if (client === begun) fail(error)
    })
    return begun
  }

  const news = (item: HubItem<string>): FeedNews => {
    switch (item.type) {
      case 'event':
        return { what: 'events', events: [{ text: item.value, position: item.position }] }
      case 'subscribed':
        return { what: 'subscribed', position: item.from }
      case 'gap':
        return { what: 'gap', reason: item.reason, from: item.from, to: item.to, own: item.own }
      case 'failed':
        return { what: 'failed', error: tell(item.error) }
      case 'waiting':
      case 'resubscribed':
        return { what: item.type }
    }
  }
  /** Sends a tab what there is for it, if it has room. */
  const serve = (one: Served): void => {
    if (!one.hasRoom || !one.reader || stopped) return
    const told: FeedNews[] = []
    for (const item of one.reader.take(batchBytes)) {
      const last = told.at(-1)
      const next = news(item)
      if (next.what === 'events' && last?.what === 'events') (last.events as unknown[]).push(...next.events)
      else told.push(next)
      if (next.what === 'failed' || (next.what === 'gap' && next.own)) {
        // What to begin with now is for the tab to decide.
        drop(one)
        break
      }
    }
    if (told.length === 0) return
    const { number } = one.reader
    const stamp: Stamp | undefined = number === undefined ? undefined : { epoch, number }
    for (const each of told) if (each.what === 'events') each.stamp = stamp
    one.hasRoom = false
    send({ type: 'feed', epoch, to: one.tab, feed: one.feed, skewMs: skewMs(), news: told })
  }
  const drop = (one: Served): void => {
    one.reader?.close()
    served.delete(key(one.tab, one.feed))
    if (![...served.values()].some(({ channel }) => channel === one.channel)) {
      void hubs.get(one.channel)?.close()
      hubs.delete(one.channel)
    }
  }
  const dropTab = (tab: string): void => {
    for (const one of [...served.values()]) if (one.tab === tab) drop(one)
  }

  const hubOf = (channel: string, begin: StartPosition): ChannelHub<string> | undefined => {
    const there = hubs.get(channel)
    const live = session()
    if (there || !live) return there
    const hub = channelHub<string>({
      channel,
      name: `${epoch.toString(36)}x${(hubNumber++).toString(36)}x${Math.floor(platform.random() * 2 ** 40).toString(36)}`,
      live,
      begin,
      connect: made,
      replays,
      // As text: whatever an extension has put into it can be posted, and no tab can change what others are given.
      wrap: ({ message }: StreamEvent) => {
        const value = JSON.stringify(message)
        return { value, bytes: value.length }
      },
      limits,
      platform,
      fallback: 'all',
      stallMs: 5_000,
      failed() {
        // Another may have been made meanwhile.
        if (hubs.get(channel) === hub) hubs.delete(channel)
      },
    })
    hubs.set(channel, hub)
    return hub
  }
  const attach = (one: Served, begin = beginOf(one)): void => {
    one.reader = hubOf(one.channel, begin)?.open(one.position, () => {
      // Not in the turn of those who make it ready: there may be more to come.
      queueMicrotask(() => serve(one))
    })
    serve(one)
  }
  const accept = (tab: string, opened: TabFeed): void => {
    if (failure !== undefined) return tellSession()
    const one: Served = { ...opened, tab, reader: undefined, hasRoom: true }
    served.set(key(tab, opened.feed), one)
    if (begun) attach(one)
  }

  /** Every channel begins where the slowest tab stands; the others skip what they have had. */
  const begin = (): void => {
    if (begun || stopped) return
    begun = true
    if (wanted) session()
    const channels = new Set([...served.values()].map(({ channel }) => channel))
    for (const channel of channels) {
      const feeds = [...served.values()].filter((one) => one.channel === channel)
      const from = slowest(feeds)
      for (const one of feeds) attach(one, from)
    }
  }
  const rollCall = async (): Promise<void> => {
    send({ type: 'leader', epoch })
    later(begin, rollCallMs)
    expected = await living()
    if ([...expected].every((tab) => answered.has(tab))) begin()
  }
  let expected: ReadonlySet<string> | undefined
  /** Missed at the last look: one that has just come may not hold its lock yet. */
  let missed = new Set<string>()
  const look = (): void => {
    later(() => {
      living().then(
        (there) => {
          const gone = new Set([...served.values()].map(({ tab }) => tab).filter((tab) => !there.has(tab)))
          for (const tab of gone) if (missed.has(tab)) dropTab(tab)
          missed = gone
        },
        () => {},
      )
      look()
    }, lookMs)
  }

  rollCall().catch(begin)
  look()

  return {
    receive(message) {
      if (stopped) return
      switch (message.type) {
        case 'hello':
          wanted = true
          if (failure !== undefined) {
            failure = undefined
            state = 'handshaking'
          }
          if (begun) session()
          send({ type: 'leader', epoch })
          tellSession()
          return
        case 'present':
          // It has not heard of this leader.
          if (message.epoch < epoch) send({ type: 'leader', epoch })
          if (message.epoch !== epoch) return
          answered.add(message.tab)
          wanted ||= !message.failed
          if (begun && wanted) session()
          for (const opened of message.feeds) if (!served.has(key(message.tab, opened.feed))) accept(message.tab, opened)
          if (begun) tellSession()
          else if (expected && [...expected].every((tab) => answered.has(tab))) begin()
          return
        case 'open':
          if (message.epoch === epoch && !served.has(key(message.tab, message.opened.feed))) accept(message.tab, message.opened)
          return
        case 'more': {
          const one = message.epoch === epoch ? served.get(key(message.tab, message.feed)) : undefined
          if (!one) return
          one.hasRoom = true
          serve(one)
          return
        }
        case 'close': {
          const one = served.get(key(message.tab, message.feed))
          if (one) drop(one)
          return
        }
        case 'bye':
          dropTab(message.tab)
          return
      }
    },
    stop() {
      // Until another leads.
      state = 'waiting'
      tellSession()
      stopped = true
      for (const cancel of [...cancels]) cancel()
      const replays = [...hubs.values()].map((hub) => hub.close())
      const last = client
      client = undefined
      stopping ??= Promise.all([last?.stop(), ...replays]).then(() => {})
      return stopping
    },
  }
}

/** Where the channel is to begin for all; 'new' where nobody has a position. */
function slowest(feeds: readonly TabFeed[]): StartPosition {
  if (feeds.some(({ position }) => position === 'all')) return 'all'
  const placed = feeds.filter(({ position }) => !isMark(position) && position !== 'new' && position !== 'off')
  const stamped = placed.filter((feed): feed is TabFeed & { stamp: Stamp } => feed.stamp !== undefined)
  const before = (a: Stamp, b: Stamp): boolean => a.epoch < b.epoch || (a.epoch === b.epoch && a.number < b.number)
  const first = stamped.length > 0 ? stamped.reduce((least, feed) => (before(feed.stamp, least.stamp) ? feed : least)) : placed[0]
  return (first?.position as ReplayId | undefined) ?? 'new'
}

/** Where a channel begins that one feed alone wants. */
function beginOf({ position }: TabFeed): StartPosition {
  return isMark(position) ? 'new' : position
}

/** Of what a client reports, that which is about the session and so concerns every tab. */
function isOfSession(status: ClientStatus): status is Exclude<SourceStatus, { type: 'state' | 'replayGap' }> {
  return ['retry', 'reauthenticated', 'rehandshake', 'slowed', 'multipleClients', 'limit', 'badMessage'].includes(status.type)
}

/** Errors do not survive being posted with what makes them ours. */
function withoutError(status: SourceStatus): SourceStatus {
  const { error: _, ...rest } = status as SourceStatus & { error?: unknown }
  return rest as SourceStatus
}
