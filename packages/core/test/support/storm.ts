import { getEventListeners } from 'node:events'
import { createMockOrg, virtualClock } from '@sfstream/mock-org'
import {
  createClient,
  type OrgSession,
  type ReplayPosition,
  type ReplayStore,
  SfStreamError,
  type StreamEvent,
  type StreamingClient,
  type SubscribeOptions,
  type Subscription,
} from '../../src/index.ts'
import { trouble } from './storm-troubles.ts'
import { oneOf, type Pick, type Wire, wire } from './storm-wire.ts'

const channels = ['/event/Low_Ink__e', '/event/Order_Event__e', '/u/notifications/ExampleUserChannel']

/** One client, and who uses it. */
interface User {
  /** Also names its positions. */
  readonly name: string
  readonly client: StreamingClient
  readonly signal: AbortController
  readonly wire: Wire
  readonly readers: Reader[]
  /** Promises that have to settle when the client is stopped. */
  readonly owed: Set<string>
  stopping: boolean
  /** A loop over all channels runs. */
  merged: boolean
}

/** One subscription, and what it was handed. Events are known by their place in the org's log, from 1: their mark. */
interface Reader {
  readonly name: string
  readonly channel: string
  readonly user: User
  readonly subscription: Subscription
  readonly replay: SubscribeOptions['replay']
  /** It has opened the channel. */
  readonly keeper: boolean
  readonly style: 'loop' | 'process' | 'stream' | 'events()'
  readonly abort: AbortController | undefined
  /** Not where handlers run side by side, or nothing is replayed. */
  ordered: boolean
  readonly handed: number[]
  readonly finished: Set<number>
  /** How much was published when it was accepted, and when that was. */
  ready: { mark: number; at: number } | undefined
  /** Reported to it. */
  gaps: number
  ended: boolean
  leave(): void
}

class ByUser extends Error {}

/**
 * Whatever the users of a few clients may do, against an org and a network that do whatever they may; then all is well again, and
 * everything is stopped. Returns what no client may do.
 */
export async function storm(pick: Pick, seed: number, trace: (line: string) => void = () => {}): Promise<string[]> {
  const clock = virtualClock({ seed })
  const violations: string[] = []
  const violate = (what: string): void => {
    trace(`VIOLATION ${what}`)
    violations.push(what)
  }
  const org = createMockOrg({
    clock,
    seed,
    memory: { events: 10_000, requests: 10, deliveries: 10 },
    switches: {
      dataOn: oneOf(pick, ['connect', 'any-reply']),
      dataOrder: oneOf(pick, ['before-reply', 'after-reply']),
      reverseReplies: pick(3) === 0,
      numericIds: pick(3) === 0,
      bareUnknownClient: pick(3) === 0,
      maxEventsPerReply: pick(2) === 0 ? Number.POSITIVE_INFINITY : 1 + pick(6),
      replayDelayMs: pick(4) === 0 ? pick(4_000) : 0,
      batchMs: pick(4) === 0 ? pick(1_000) : 0,
    },
  })
  const log = new Map<string, { id: string; at: number }[]>(channels.map((channel) => [channel, []]))
  const logOf = (channel: string): { id: string; at: number }[] => log.get(channel) as { id: string; at: number }[]
  const publish = (channel: string): void => {
    const mark = String(logOf(channel).length + 1)
    const { replayId } = org.publish(channel, channel.startsWith('/u/') ? mark : { Serial__c: mark })
    logOf(channel).push({ id: replayId as string, at: clock.now() })
    trace(`publish ${channel} ${mark} as ${replayId}`)
  }
  const markOf = ({ payload }: StreamEvent): number => Number((payload as { Serial__c?: string }).Serial__c ?? payload)
  const wait = (ms: number): Promise<void> => new Promise((then) => void clock.delay(then, ms))

  // --- one store for all ------------------------------------------------------------------------------------------

  const users: User[] = []
  const positions = new Map<string, ReplayPosition>()
  /** Everything from its first event to there is finished, or came before what it asked for. */
  const mayReach = (reader: Reader, mark: number): boolean => {
    if (reader.replay === 'off') return true
    const first = reader.handed[0] ?? Number.POSITIVE_INFINITY
    if (mark < first) return (logOf(reader.channel)[mark - 1]?.at ?? 0) < (reader.ready?.at ?? 0)
    for (let each = first; each <= mark; each++) if (!reader.finished.has(each)) return false
    return true
  }
  const replayStore: ReplayStore = {
    async load({ channel, consumer }) {
      if (pick(4) === 0) await wait(pick(500))
      return positions.get(`${consumer} ${channel}`)
    },
    async save({ channel, consumer }, position) {
      const mark = logOf(channel).findIndex(({ id }) => id === String(position.replayId)) + 1
      const readers = users.find(({ name }) => name === consumer)?.readers ?? []
      if (mark === 0 || !readers.some((reader) => reader.channel === channel && mayReach(reader, mark)))
        violate(`${consumer}: position ${mark} of ${channel} is saved, which passes what is not finished`)
      if (pick(4) === 0) await wait(pick(300))
      if (pick(20) === 0) throw new Error('the disk is full')
      positions.set(`${consumer} ${channel}`, position)
    },
  }

  // --- clients ----------------------------------------------------------------------------------------------------

  const commit = pick(5) === 0 ? 'manual' : 'auto'
  const begin = (name: string): void => {
    const line = wire(org, clock, pick, oneOf(pick, [0, 0, 50, 400]))
    const signal = new AbortController()
    let session: OrgSession | undefined
    const client = createClient({
      auth: {
        async getSession({ rejected }) {
          if (pick(3) === 0) await wait(pick(300))
          if (!session || rejected?.accessToken === session.accessToken) session = org.session()
          return session
        },
      },
      consumer: name,
      replayStore,
      commit,
      signal: signal.signal,
      platform: line.platform,
      ...(pick(4) === 0 && { retry: { connect: { shouldRetry: () => pick(2) === 0 || (undefined as never) } } }),
    })
    const user: User = { name, client, signal, wire: line, readers: [], owed: new Set(), stopping: false, merged: false }
    users.push(user)
    watch(user)
  }
  /** Settles, with nothing but a coded error or what a user made of it. */
  const owe = <T>(user: User, what: string, work: Promise<T>): Promise<T> => {
    const key = `${what} #${pick(1_000_000)}`
    user.owed.add(key)
    work.then(
      () => user.owed.delete(key),
      (error: unknown) => {
        user.owed.delete(key)
        if (!(error instanceof SfStreamError || error instanceof ByUser)) violate(`${what} rejected with ${String(error)}`)
      },
    )
    return work
  }
  const watch = (user: User): void => {
    const told = user.client.status()
    const listen = async (): Promise<void> => {
      for await (const status of told) {
        trace(`${user.name} ${JSON.stringify({ ...status, error: 'error' in status ? String(status.error) : undefined })}`)
        if (status.type !== 'replayGap') continue
        for (const reader of user.readers) if (reader.channel === status.channel && !reader.ended) reader.gaps++
      }
    }
    void owe(user, 'status()', listen())
  }
  const stop = (user: User, andWatch: boolean): void => {
    if (user.stopping) return
    trace(`${user.name}.stop()`)
    user.stopping = true
    const startedAt = clock.now()
    const settled = (error?: unknown): void => {
      user.stopping = false
      if (error && (error as SfStreamError).code !== 'store_failed') violate(`stop() rejected with ${String(error)}`)
      if (clock.now() - startedAt > 4_500) violate(`stop() took ${clock.now() - startedAt} ms`)
      if (user.wire.open.length > 0) violate(`after stop(): ${user.wire.open} are out`)
      if (andWatch) setImmediate(() => watch(user))
    }
    user.client.stop().then(() => settled(), settled)
  }

  // --- readers ----------------------------------------------------------------------------------------------------

  const hand = (reader: Reader, event: StreamEvent): void => {
    const { name, channel, handed, finished, replay, ready } = reader
    const mark = markOf(event)
    const last = handed.at(-1)
    trace(`${name} is handed ${mark}`)
    if (event.channel !== channel) violate(`${name} was handed an event of ${event.channel}`)
    const say = (what: string): void => {
      if (reader.gaps === 0) violate(`${name}: ${what}`)
    }
    if (last === undefined) {
      const after = replay === 'all' ? 0 : logOf(channel).findIndex(({ id }) => id === String(replay)) + 1
      if (reader.keeper && (replay === 'all' || after > 0) && mark !== after + 1) say(`after ${String(replay)} it began with ${mark}`)
      if (reader.ordered && ready && mark > ready.mark + 1) say(`it was accepted at ${ready.mark}, and began with ${mark}`)
    } else if (handed.includes(mark)) {
      // In hand when a loop over all channels was left, it is handed to the next one.
      if (reader.style !== 'events()' || mark !== last || finished.has(mark)) say(`${mark} again`)
    } else if (reader.ordered && mark !== last + 1) say(`${mark} after ${last}`)
    handed.push(mark)
  }
  const work = async (): Promise<void> => {
    const how = pick(12)
    if (how < 3) await wait(pick(how === 0 ? 40_000 : 500))
  }
  const finish = (reader: Reader, event: StreamEvent): void => {
    reader.finished.add(markOf(event))
    if (commit === 'manual') event.commit().catch(() => {})
  }
  /** Until the end, or until it is left. */
  const loop = async (next: () => Promise<{ done: boolean; value?: StreamEvent }>, of: (event: StreamEvent) => Reader): Promise<void> => {
    let inHand: (() => void) | undefined
    for (;;) {
      inHand?.()
      const { done, value } = await next()
      if (done || !value) return
      const reader = of(value)
      inHand = () => finish(reader, value)
      hand(reader, value)
      await work()
      if (pick(80) === 0) return reader.style === 'events()' ? undefined : reader.leave()
    }
  }
  const consume = async (reader: Reader): Promise<void> => {
    const { subscription, style } = reader
    if (style === 'loop') {
      const iterator = subscription[Symbol.asyncIterator]()
      reader.leave = () => void iterator.return?.()
      await loop(
        () => iterator.next() as Promise<{ done: boolean; value: StreamEvent }>,
        () => reader,
      )
    } else if (style === 'stream') {
      const stream = subscription.toReadableStream().getReader()
      reader.leave = () => void stream.cancel().catch(() => {})
      await loop(
        () => stream.read() as Promise<{ done: boolean; value: StreamEvent }>,
        () => reader,
      )
    } else {
      const concurrency = 1 + pick(3)
      if (concurrency > 1) reader.ordered = false
      const handler = async (event: StreamEvent): Promise<void> => {
        hand(reader, event)
        await work()
        if (pick(150) === 0) throw new ByUser('the handler failed')
        finish(reader, event)
      }
      await subscription.process(handler, { concurrency, ...(pick(3) === 0 && { orderBy: (event) => String(markOf(event) % 2) }) })
    }
  }
  const schema = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) => {
        const result = pick(4) === 0 ? { issues: [{ message: 'odd' }] } : { value }
        return pick(2) === 0 ? result : wait(pick(200)).then(() => result)
      },
    },
  }
  let readers = 0
  const subscribe = (user: User): void => {
    const channel = oneOf(pick, channels)
    const chosen = oneOf(pick, [undefined, undefined, undefined, 'new', 'new', 'all', 'off', 'stored', 'id'] as const)
    const known = logOf(channel)
    const replay = chosen !== 'id' ? chosen : known.length > 0 ? Number(oneOf(pick, known).id) : 'all'
    const abort = pick(4) === 0 ? new AbortController() : undefined
    if (abort && pick(10) === 0) abort.abort(new ByUser('too late'))
    const until = oneOf(pick, [...Array(20), 'caught-up', { idleMs: 2_000 }, { maxEvents: 1 + pick(4) }, { maxMs: 5_000 }])
    const others = user.readers.filter((other) => other.channel === channel && other.subscription.stats.ended === undefined)
    let subscription: Subscription
    try {
      subscription = user.client.subscribe(channel, {
        ...(replay !== undefined && { replay }),
        maxBuffered: oneOf(pick, [0, 2, 10, 1_000]),
        ...(abort && { signal: abort.signal }),
        ...(until && { until }),
        ...(pick(5) === 0 && { schema, onInvalid: 'raw' as const }),
      })
    } catch (error) {
      if (!['channel_in_use', 'client_stopped'].includes((error as SfStreamError).code) && !(error instanceof ByUser)) throw error
      return
    }
    // Of two that events() takes from, nobody could tell whose an event was.
    const style = oneOf(pick, ['loop', 'process', 'stream', ...(others.length === 0 ? (['events()'] as const) : [])] as const)
    const shared = others.length > 0
    const reader: Reader = {
      name: `${user.name}${++readers} ${channel} ${style} ${String(replay)}${shared ? ' shared' : ''} ${JSON.stringify(until) ?? ''}`,
      channel,
      user,
      subscription,
      replay: shared ? 'new' : replay,
      keeper: !shared,
      style: style === 'events()' && user.readers.some((other) => other.channel === channel && other.style === style) ? 'loop' : style,
      abort,
      ordered: replay !== 'off' && !others.some((other) => other.replay === 'off'),
      handed: [],
      finished: new Set(),
      ready: undefined,
      gaps: 0,
      ended: false,
      leave: () => {},
    }
    trace(`${reader.name} begins`)
    user.readers.push(reader)
    owe(user, `ready of ${reader.name}`, subscription.ready).then(
      () => {
        reader.ready = { mark: known.length, at: clock.now() }
      },
      () => {},
    )
    if (reader.style === 'events()') return
    const ended = (): void => {
      reader.ended = true
      trace(`${reader.name} has ended`)
    }
    owe(user, reader.name, consume(reader)).then(ended, ended)
  }
  const all = (user: User): void => {
    if (user.merged || user.stopping) return
    const events = user.client.events()
    user.merged = true
    const over = (): void => {
      user.merged = false
    }
    const of = ({ channel }: StreamEvent): Reader =>
      user.readers.find((reader) => reader.channel === channel && reader.style === 'events()') as Reader
    const whole = loop(() => events.next() as Promise<{ done: boolean; value: StreamEvent }>, of).finally(() => void events.return?.())
    owe(user, `events() of ${user.name}`, whole).then(over, over)
  }

  // --- what users do ----------------------------------------------------------------------------------------------

  const act = (user: User): void => {
    const { client, name } = user
    const open = user.readers.filter(({ ended }) => !ended)
    const reader = open.length > 0 ? oneOf(pick, open) : undefined
    const close = (): void => {
      if (!reader) return
      trace(`close ${reader.name}`)
      owe(user, `close() of ${reader.name}`, reader.subscription.close()).catch(() => {})
    }
    switch (pick(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return subscribe(user)
      case 4:
        return close()
      case 5:
        trace(`leave ${reader?.name}`)
        return reader?.leave()
      case 6:
        trace(`abort ${reader?.name}`)
        return reader?.abort?.abort(new ByUser('not any more'))
      case 7: {
        const channel = oneOf(pick, channels)
        trace(`${name}.unsubscribe(${channel})`)
        return void owe(user, 'unsubscribe()', client.unsubscribe(channel)).catch(() => {})
      }
      case 8:
      case 9:
        return void owe(user, 'send()', client.send({ channel: '/service/echo', data: 'x' })).catch(() => {})
      case 10:
      case 11:
        return all(user)
      case 12: {
        const tap: AsyncIterable<unknown> = pick(2) === 0 ? client.messages() : client.status()
        const listen = async (): Promise<void> => {
          for await (const _ of tap) if (pick(40) === 0) return
        }
        return void owe(user, 'a tap', listen())
      }
      case 13:
        if (pick(4) > 0) return
        trace(`${name}.askStop()`)
        return client.askStop()
      case 14:
        return pick(2) === 0 ? stop(user, true) : undefined
      case 15:
        return void owe(user, 'start()', client.start()).catch(() => {})
      case 16:
        return void owe(user, 'org()', client.org()).catch(() => {})
      case 17:
        // In one turn.
        close()
        return subscribe(user)
      case 18:
        if (pick(3) > 0) return
        stop(user, true)
        return void owe(user, 'start()', client.start()).catch(() => {})
    }
  }

  begin('A')
  if (pick(3) === 0) begin('B')
  const dense = 2 + pick(12)
  for (let step = 0; step < 30 && violations.length === 0; step++) {
    for (let times = 1 + pick(2); times > 0; times--) act(oneOf(pick, users))
    if (pick(2) === 0) for (let times = pick(6); times > 0; times--) publish(oneOf(pick, channels))
    if (pick(2) === 0) trace(`--- ${trouble(org, oneOf(pick, users).wire, pick)}`)
    await clock.advance(pick(dense) === 0 ? pick(60_000) : pick(3) === 0 ? pick(3_000) : pick(60))
  }

  // --- and what has to come of it ---------------------------------------------------------------------------------

  org.faults.clear()
  for (const { wire: line } of users) line.calm()
  await clock.advance(20 * 60_000)
  const gapsBefore = new Map(users.flatMap((user) => user.readers.map((reader) => [reader, reader.gaps])))
  for (const channel of channels) publish(channel)
  await clock.advance(10 * 60_000)
  for (const { client, readers: mine } of users) {
    const isOpen = ({ ended, subscription }: Reader): boolean => !ended && subscription.stats.ended === undefined
    for (const reader of mine.filter(isOpen)) {
      // Nobody may be reading events(), and who shares a channel with it waits for that; and a gap that was reported is none in silence.
      const waits = mine.some((other) => other.channel === reader.channel && other.style === 'events()' && isOpen(other))
      if (waits || reader.gaps !== gapsBefore.get(reader) || reader.handed.includes(logOf(reader.channel).length)) continue
      violate(`${reader.name} is not handed the last event; ${client.state}, ${JSON.stringify(reader.subscription.stats)}`)
    }
  }
  for (const user of users) {
    if (pick(3) === 0) {
      user.signal.abort(new ByUser('all is over'))
      await clock.settle()
      for (const each of user.owed) if (/ (loop|stream) |^ready|^events/.test(each)) violate(`after an abort: ${each} has not settled`)
    }
    stop(user, false)
    // Handlers that run are awaited.
    await clock.advance(50_000)
    for (const each of user.owed) violate(`after stop(): ${each} has not settled`)
    violations.push(...user.wire.broken)
    for (const signal of [user.signal, ...user.readers.map(({ abort }) => abort)])
      if (signal && getEventListeners(signal.signal, 'abort').length > 0) violate(`after stop(): a listener of ${user.name} is left`)
    const most = mostWithin(
      60_000,
      user.wire.sent.map(({ at }) => at),
    )
    if (most > 300) violate(`${user.name} has sent ${most} requests in a minute`)
    const handshakes = user.wire.sent.filter(({ kind }) => kind === 'handshake').map(({ at }) => at)
    if (mostWithin(60_000, handshakes) > 40) violate(`${user.name} has made ${mostWithin(60_000, handshakes)} handshakes in a minute`)
  }
  await clock.advance(60_000)
  if (clock.pending > 0) violate(`${clock.pending} timers are left`)
  return violations
}

function mostWithin(ms: number, times: readonly number[]): number {
  let most = 0
  for (let from = 0, to = 0; to < times.length; to++) {
    while ((times[to] as number) - (times[from] as number) > ms) from++
    most = Math.max(most, to - from + 1)
  }
  return most
}
