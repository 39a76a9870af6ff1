import {
  type BayeuxMessage,
  type OpenRequest,
  type Platform,
  type ReplayGapReason,
  type ReplayId,
  type SfStreamError,
  type Source,
  type SourceStatus,
  StateError,
  type StreamingClient,
} from '@sfstream/core'
import {
  deferred,
  holds,
  linkedController,
  observedState,
  onAbort,
  type ReaderFeed,
  readerFeed,
  refusedPosition,
  toldError,
  untilAborted,
  webPlatform,
} from '@sfstream/core/internal'
import { type TabLeader, tabLeader } from './tab-leader.ts'
import { type FeedNews, isMessage, type LeaderMessage, type Message, type Stamp, type TabFeed } from './tab-messages.ts'
import { browserTabPorts, type TabPorts } from './tab-ports.ts'

export interface SharedTabsOptions {
  /**
   * Makes the client that holds the session, in whichever tab leads: `() => createClient({ auth, replayStore: null })`. Every tab must
   * make one of the same org. It keeps no positions: each tab keeps its own.
   */
  connect(): StreamingClient
  /** Tabs of one name share one session; 'sfstream' by default. Users of one browser need a name each. */
  name?: string
  platform?: Partial<Platform>
  /** For tests: what tabs share, in place of Web Locks and BroadcastChannel. */
  ports?: TabPorts | null
}

interface Feed {
  number: number
  reader: ReaderFeed
  stamp: Stamp | undefined
}

/** How often a tab looks whether it has heard its leader; where it has not, it asks. */
const lookMs = 15_000
/** The leader's tab may be suspended without a word: after so many questions in a row that are not answered, another leads. */
const maxUnanswered = 3

/**
 * One session for all tabs of the origin: `createClient({ source: sharedTabs({ connect }) })`. One tab leads and holds the session; when
 * it is closed, or left, another takes over from where the slowest stands. Each tab has its own positions and its own pace.
 *
 * Where the browser has no Web Locks (they need a secure context) or no BroadcastChannel, each tab has a session of its own, and
 * `status()` says `notShared`.
 */
export function sharedTabs(options: SharedTabsOptions): Source {
  const { connect, name = 'sfstream', platform: given, ports = browserTabPorts() ?? null } = options ?? {}
  if (typeof connect !== 'function') {
    throw new StateError({
      code: 'bad_option',
      message: `sharedTabs: connect is ${connect === undefined ? 'missing' : 'no function'}.`,
      remediation: 'Pass one that makes the client of the tab that leads: () => createClient({ auth, replayStore: null }).',
    })
  }
  const platform = webPlatform(given)
  const observed = observedState()
  const feeds = new Map<number, Feed>()
  const tab = Array.from({ length: 3 }, () => Math.floor(platform.random() * 2 ** 32).toString(36)).join('-')
  const tabLock = (id: string): string => `${name} tab ${id}`
  let life: AbortController | undefined
  let post: (message: Message) => void = () => {}
  let leader: TabLeader | undefined
  let epoch = 0
  let feedNumber = 0
  let failure: SfStreamError | undefined
  /** The failure heard of last: told again, it is an old one. */
  let failed = { epoch: 0, failures: 0 }
  let org = deferred<string>()
  let connected = deferred<void>()
  let orgName: string | undefined
  let skewMs = 0
  /** The leader was heard since the last look. */
  let isHeard = false
  /** Feeds that are to be given another batch once nothing is held. */
  const hungry = new Set<Feed>()

  const described = ({ number, reader, stamp }: Feed): TabFeed => ({
    feed: number,
    channel: reader.request.channel,
    position: reader.position,
    stamp,
  })
  const endFeed = (feed: Feed, error?: unknown): void => {
    feeds.delete(feed.number)
    hungry.delete(feed)
    feed.reader.end(error)
  }
  const endAll = (error?: unknown): void => {
    for (const feed of [...feeds.values()]) endFeed(feed, error)
  }
  const askMore = (feed: Feed): void => {
    if (feed.reader.batches.size > 0 || taking.held) return void hungry.add(feed)
    hungry.delete(feed)
    if (feeds.has(feed.number)) post({ type: 'more', tab, epoch, feed: feed.number })
  }
  const feedHungry = (): void => {
    for (const feed of [...hungry]) askMore(feed)
  }

  const taking = holds(feedHungry)

  const learn = (feed: Feed, item: FeedNews): void => {
    const { reader } = feed
    const { channel } = reader.request
    switch (item.what) {
      case 'events':
        for (const { text, position } of item.events) {
          const message = JSON.parse(text) as BayeuxMessage
          observed.message(message)
          reader.receive(message, position, text.length)
        }
        reader.flush()
        feed.stamp = item.stamp
        return
      case 'subscribed':
        reader.accept(item.position)
        return
      case 'waiting':
        reader.waiting = true
        return
      case 'resubscribed':
        reader.repeat()
        return
      case 'failed':
        endFeed(feed, toldError(item.error, channel))
        return
      case 'gap': {
        const reason = item.reason as ReplayGapReason
        if (item.own) endFeed(feed, refusedPosition(reader, reason))
        else observed.report({ type: 'replayGap', channel, reason, from: item.from as ReplayId | undefined, to: item.to })
        return
      }
    }
  }
  const present = (): void =>
    post({ type: 'present', tab, epoch, feeds: [...feeds.values()].map(described), failed: failure !== undefined })
  const followLeader = (message: LeaderMessage): void => {
    if (message.epoch < epoch) return
    isHeard = true
    // Whichever message it is that tells of a new leader.
    if (message.epoch > epoch) {
      epoch = message.epoch
      // What is not whole yet comes again.
      for (const { reader } of feeds.values()) reader.interrupt()
      hungry.clear()
      present()
    }
    switch (message.type) {
      case 'leader':
        return
      case 'session':
        // Begun anew by another tab, maybe: this one is asked first.
        if (failure) return
        skewMs = message.skewMs
        if (message.org !== undefined && message.org !== orgName) {
          if (orgName !== undefined) {
            endAll()
            org = deferred()
          }
          orgName = message.org
          org.resolve(orgName)
        }
        if (message.state === 'failed') {
          if (failed.epoch === message.epoch && failed.failures === message.failures) return
          failed = message
          failure = toldError(message.error)
          orgName = undefined
          org.reject(failure)
          connected.reject(failure)
          observed.set('failed', failure)
          endAll(failure)
        } else if (message.state === 'live') {
          connected.resolve()
          observed.set('live')
        } else if (message.state !== 'stopped' && message.state !== 'stopping' && message.state !== 'idle') observed.set(message.state)
        return
      case 'status': {
        const error = message.error ? { error: toldError(message.error) } : {}
        observed.report({ ...message.status, ...error } as SourceStatus)
        return
      }
      case 'feed': {
        if (message.to !== tab) return
        const feed = feeds.get(message.feed)
        // It ended while the leader took it up.
        if (!feed) return post({ type: 'close', tab, feed: message.feed })
        skewMs = message.skewMs
        for (const item of message.news) if (feeds.has(feed.number)) learn(feed, item)
        askMore(feed)
        return
      }
    }
  }
  const receive = (message: unknown): void => {
    if (!isMessage(message)) return
    if (message.type === 'leader' || message.type === 'session' || message.type === 'status' || message.type === 'feed')
      followLeader(message)
    else leader?.receive(message)
  }

  const lead = (signal: AbortSignal, living: () => Promise<ReadonlySet<string>>): void => {
    // Later than any epoch this tab may not have heard of.
    leader = tabLeader({ epoch: Math.max(epoch + 1, platform.now()), connect, platform, living, send: post })
    const led = leader
    onAbort(signal, () => void led.stop().catch(() => {}))
  }
  /** Calls `hung` when the leader answers no more; counted look by look, for a machine that slept has heard nobody. */
  const watchLeader = (hung: () => void): (() => void) => {
    let unanswered = 0
    let cancel = (): void => {}
    const look = (): void => {
      cancel = platform.delay(() => {
        unanswered = isHeard ? 0 : unanswered + 1
        isHeard = false
        if (unanswered > maxUnanswered) return hung()
        if (unanswered > 0) present()
        look()
      }, lookMs)
    }
    look()
    return () => cancel()
  }
  /**
   * Resolves when this tab is to lead; `lost`, when it is not any more: then `release` is to be called. The signal is of this turn alone:
   * what listens to it is gone with it.
   */
  const turnToLead = async (
    shared: TabPorts,
    signal: AbortSignal,
  ): Promise<{ lost: Promise<void>; signal: AbortSignal; release(): void }> => {
    const lock = `${name} leader`
    let turn = linkedController(signal)
    const { controller } = turn
    const stopWatching = watchLeader(() => controller.abort())
    let lost = deferred<void>()
    try {
      await shared.lock(lock, controller.signal, lost.resolve)
    } catch (error) {
      turn.release()
      if (signal.aborted || !controller.signal.aborted) throw error
      turn = linkedController(signal)
      lost = deferred()
      await shared.lock(lock, turn.controller.signal, lost.resolve, true)
    } finally {
      stopWatching()
    }
    return { lost: lost.promise, signal: turn.controller.signal, release: turn.release }
  }
  const join = async (shared: TabPorts, signal: AbortSignal): Promise<void> => {
    const others = shared.join(name, receive)
    post = (message) => {
      if (signal.aborted) return
      others.post(message)
      // A channel does not speak to itself.
      queueMicrotask(() => {
        if (!signal.aborted) receive(message)
      })
    }
    signal.addEventListener('abort', () => others.close(), { once: true })
    const living = async (): Promise<ReadonlySet<string>> => {
      const prefix = tabLock('')
      return new Set([...(await shared.held())].filter((held) => held.startsWith(prefix)).map((held) => held.slice(prefix.length)))
    }
    try {
      await shared.lock(tabLock(tab), signal, () => {})
      post({ type: 'hello', tab })
      while (!signal.aborted) {
        const turn = await turnToLead(shared, signal)
        lead(turn.signal, living)
        await untilAborted(turn.lost, turn.signal)
        turn.release()
        await leader?.stop().catch(() => {})
        leader = undefined
      }
    } catch (error) {
      others.close()
      throw error
    }
  }
  const alone = (signal: AbortSignal, reason: string): void => {
    observed.report({ type: 'notShared', reason })
    post = (message) =>
      queueMicrotask(() => {
        if (!signal.aborted) receive(message)
      })
    lead(signal, async () => new Set([tab]))
  }
  const begin = (): void => {
    if (life || failure) return
    const controller = new AbortController()
    life = controller
    observed.set('handshaking')
    const { signal } = controller
    if (!ports) return alone(signal, 'The browser has no Web Locks here (they need a secure context) or no BroadcastChannel.')
    join(ports, signal).catch((error: unknown) => {
      // An origin that is denied its locks, as in a sandboxed frame.
      if (!signal.aborted) alone(signal, `The browser refuses this page its locks or its channel: ${String(error)}.`)
    })
  }

  return {
    endpoint: undefined,
    get live() {
      return observed.state === 'live' && ![...feeds.values()].some(({ reader }) => reader.waiting)
    },
    now: () => platform.now() + skewMs,
    async start() {
      if (failure) {
        failure = undefined
        org = deferred()
        connected = deferred()
        post({ type: 'hello', tab })
      }
      begin()
      await connected.promise
    },
    org() {
      if (!failure) begin()
      return org.promise
    },
    open(request: OpenRequest) {
      const feed: Feed = {
        number: feedNumber++,
        reader: readerFeed(request, () => queueMicrotask(feedHungry)),
        stamp: undefined,
      }
      if (failure) {
        feed.reader.end(failure)
        return feed.reader.feed
      }
      begin()
      feeds.set(feed.number, feed)
      onAbort(request.signal, () => {
        const isOpen = feeds.has(feed.number)
        endFeed(feed)
        if (isOpen) post({ type: 'close', tab, feed: feed.number })
      })
      if (feeds.has(feed.number)) post({ type: 'open', tab, epoch, opened: described(feed) })
      return feed.reader.feed
    },
    hold: taking.hold,
    send: () =>
      Promise.reject(
        new StateError({
          code: 'reserved_channel',
          message: 'The session is shared with other tabs: nothing can be sent on it.',
          remediation: 'Send with a client of its own.',
        }),
      ),
    observe: observed.observe,
    async stop() {
      failure = undefined
      const stopped = life
      life = undefined
      const led = leader
      leader = undefined
      if (stopped) post({ type: 'bye', tab })
      const error = new StateError({ code: 'client_stopped', message: 'The client was stopped.', remediation: 'Call start() again.' })
      // At once: a page that is left may not run again, and must hold nothing that keeps it from being kept.
      stopped?.abort(error)
      org.reject(error)
      org = deferred()
      connected.reject(error)
      connected = deferred()
      orgName = undefined
      endAll()
      hungry.clear()
      if (stopped) observed.set('stopped')
      await led?.stop().catch(() => {})
    },
  }
}
