import {
  type OpenRequest,
  type Platform,
  type ReplayGapReason,
  type ReplayId,
  SfStreamError,
  type Source,
  type StartPosition,
  StateError,
} from '@sfstream/core'
import {
  deferred,
  holds,
  linkedController,
  matchesSubscription,
  observedState,
  onAbort,
  type ReaderFeed,
  readerFeed,
  readText,
  refusedPosition,
  sleep,
  type ToldError,
  toldError,
  untilAborted,
  webPlatform,
  withDeadline,
} from '@sfstream/core/internal'
import { type CursorPosition, channelPart, cursorStart, formatPosition, positionIn } from '../cursor.ts'
import { checkedUrl } from './checked-url.ts'
import { eventStream, type StreamEventFrame } from './event-stream.ts'
import { brokenBy, httpRefusal, maxAnswerBytes, noRelay } from './relay-errors.ts'

export interface RelayClientOptions {
  /** Sent with every request, for the relay's `authorize`; a function is asked before each. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>)
  /** As of `fetch`; 'include' sends cookies to a relay of another origin. */
  credentials?: RequestCredentials
  platform?: Partial<Platform>
}

/** A request that did not do. */
interface Refusal {
  error: SfStreamError
  fatal: boolean
  channel?: string
  retryAfterMs?: number
}

const baseMs = 500
const capMs = 30_000
/** As long as a relay takes to answer, and then some. */
const answerMs = 30_000
const maxRetryAfterMs = 3_600_000
/** A stream that lasted for so long counts as progress, even if it brought nothing. */
const progressMs = 10_000

/**
 * Events by way of a relay: `createClient({ source: relay('/events') })`. One stream for all channels of the client, begun again after
 * the last event whenever it breaks. Positions are the org's own, as with a client that talks to the org; `replayFallback` and `gap`
 * hold here too.
 *
 * @throws SfStreamError `bad_option` for a URL that is none
 */
export function relay(url: string | URL, options: RelayClientOptions = {}): Source {
  const endpoint = checkedUrl(url)
  const platform = webPlatform(options.platform)
  const observed = observedState()
  const feeds = new Map<string, ReaderFeed>()
  let life: AbortController | undefined
  let failure: SfStreamError | undefined
  let org = deferred<string>()
  let orgName: string | undefined
  /** The relay has its session with the org. */
  let upstream = false
  let flowing = false
  /** Of the org's clock, as the relay knows it. */
  let skewMs = 0
  /** Feeds were opened or closed: another stream is needed. */
  let changed = deferred<void>()
  const reading = holds(() => released.resolve())
  let released = deferred<void>()
  let drained = deferred<void>()
  let retryMs: number | undefined
  let progress = false
  /** Failures since the last progress. */
  let attempt = 0

  const learnState = ({ live, now }: Record<string, unknown>): void => {
    upstream = live === true
    if (typeof now === 'number') skewMs = now - platform.now()
    observed.set(flowing && upstream ? 'live' : 'waiting')
  }

  const endFeed = (feed: ReaderFeed, error?: unknown): void => {
    if (feeds.get(feed.request.channel) === feed) feeds.delete(feed.request.channel)
    feed.end(error)
  }
  const endAll = (error?: unknown): void => {
    for (const feed of [...feeds.values()]) endFeed(feed, error)
  }
  const feedOf = (channel: unknown): ReaderFeed | undefined => {
    if (typeof channel !== 'string') return undefined
    const exact = feeds.get(channel)
    if (exact) return exact
    for (const feed of feeds.values()) if (matchesSubscription(feed.request.channel, channel)) return feed
    return undefined
  }

  const gap = (data: Record<string, unknown>): void => {
    const feed = feedOf(data.channel)
    const reason = data.reason as ReplayGapReason
    if (!feed) return
    if (data.ended === true) return endFeed(feed, refusedPosition(feed, reason))
    const { channel } = feed.request
    observed.report({ type: 'replayGap', channel, reason, from: data.from as ReplayId | undefined, to: data.to as StartPosition })
  }
  const receive = ({ event, id, data }: StreamEventFrame): void => {
    const value = JSON.parse(data) as Record<string, unknown>
    switch (event) {
      case undefined: {
        progress = true
        observed.message(value as { channel: string })
        const feed = feedOf(value.channel)
        feed?.receive(value as { channel: string }, positionOf(feed, id), data.length)
        return
      }
      case 'hello':
        if (value.org !== orgName) {
          // Positions of the other org mean nothing here: each channel begins anew.
          orgName = String(value.org)
          org = deferred()
          org.resolve(orgName)
          endAll()
        }
        flowing = true
        return learnState(value)
      case 'live':
        return learnState(value)
      case 'subscribed': {
        const feed = feedOf(value.channel)
        if (!feed) return
        feed.waiting = false
        feed.position = positionOf(feed, id) ?? feed.position
        feed.accepted.resolve(true)
        return
      }
      case 'waiting': {
        const feed = feedOf(value.channel)
        if (feed) feed.waiting = true
        return
      }
      case 'resubscribed':
        feedOf(value.channel)?.repeat()
        return
      case 'replayGap':
        gap(value)
        return
      case 'failed': {
        const feed = feedOf(value.channel)
        if (!feed) return
        const error = toldError(value.error as ToldError, feed.request.channel)
        // It is nothing of the channel's: the relay begins it again when it is asked for again.
        if (error.code === 'client_stopped') throw error
        return endFeed(feed, error)
      }
      default:
        // Of a newer relay.
        return
    }
  }

  const get = async (target: URL, accept: string, signal: AbortSignal): Promise<Response> => {
    const headers = typeof options.headers === 'function' ? await options.headers() : options.headers
    return platform.fetch(target, {
      headers: { ...headers, accept },
      signal,
      // It would carry the headers to wherever it points. [PROTOCOL T3]
      redirect: 'manual',
      ...(options.credentials ? { credentials: options.credentials } : {}),
    })
  }
  const askOrg = async (signal: AbortSignal): Promise<Refusal | undefined> => {
    const response = await get(endpoint, 'application/json', signal)
    if (!response.ok) {
      // Nothing here is for this reader: whichever channel is named, it is about all.
      const { channel: _, ...refusal } = await httpRefusal(response, endpoint, platform.now())
      return refusal
    }
    const named = orgNamed(await readText(response.body ?? undefined, maxAnswerBytes))
    if (named === undefined) return { error: noRelay(endpoint, 'it does not name its org'), fatal: true }
    orgName = named
    org.resolve(orgName)
    return undefined
  }
  const streamOnce = async (signal: AbortSignal): Promise<Refusal | undefined> => {
    const target = new URL(endpoint)
    const asked = [...feeds.values()]
    if (asked.length === 0) return undefined
    for (const { request } of asked) target.searchParams.append('channel', request.channel)
    target.searchParams.set(
      'cursor',
      cursorStart(orgName ?? '') + asked.map(({ request, position }) => channelPart(request.channel) + formatPosition(position)).join(''),
    )
    target.searchParams.set('fallback', 'none')
    try {
      return await eventStream<Refusal>({
        open: (limited) => get(target, 'text/event-stream', limited),
        refused: (response) => httpRefusal(response, endpoint, platform.now()),
        signal,
        platform,
        receive,
        retry: (ms) => {
          retryMs = Math.min(ms, maxRetryAfterMs)
        },
        async pause() {
          for (const feed of feeds.values()) feed.flush()
          while (reading.held) {
            released = deferred()
            await untilAborted(released.promise, signal)
          }
          while ([...feeds.values()].some(({ batches }) => batches.size > 0)) {
            drained = deferred()
            await untilAborted(drained.promise, signal)
          }
        },
        held: () => reading.held,
      })
    } finally {
      flowing = false
      for (const feed of feeds.values()) feed.interrupt()
    }
  }

  /** Tries until it does, the caller leaves, or there is no use. @throws SfStreamError */
  const persist = async (work: (signal: AbortSignal) => Promise<Refusal | undefined>, signal: AbortSignal): Promise<void> => {
    let askedAnew = false
    for (;;) {
      progress = false
      retryMs = undefined
      const startedAt = platform.now()
      let refusal: Refusal | undefined
      try {
        refusal = await work(signal)
        if (!refusal) return
      } catch (cause) {
        signal.throwIfAborted()
        const error = cause instanceof SfStreamError ? cause : brokenBy(endpoint, cause)
        // The same message would come again.
        refusal = { error, fatal: error.code === 'message_too_large' }
      }
      const refused = feeds.get(refusal.channel ?? '')
      if (refused) return endFeed(refused, refusal.error)
      // Headers made anew may do.
      const mayAskAnew: boolean = refusal.error.code === 'login_refused' && typeof options.headers === 'function' && !askedAnew
      if (refusal.fatal && !mayAskAnew) throw refusal.error
      askedAnew = mayAskAnew
      if (progress || platform.now() - startedAt >= progressMs) attempt = 0
      const drawn = platform.random() * Math.min(capMs, baseMs * 2 ** attempt++)
      const delayMs = Math.round(Math.max(drawn, refusal.retryAfterMs ?? 0, (retryMs ?? 0) * (1 + platform.random())))
      observed.set('waiting')
      observed.report({ type: 'retry', what: 'connect', attempt, delayMs, error: refusal.error })
      await sleep(delayMs, signal, platform)
    }
  }
  const run = async (signal: AbortSignal): Promise<void> => {
    observed.set('handshaking')
    await persist((asking) => withDeadline(answerMs, { signal: asking, platform }, askOrg), signal)
    observed.set('live')
    while (!signal.aborted) {
      changed = deferred()
      const change = changed.promise
      if (feeds.size === 0) await untilAborted(change, signal)
      // Channels that are opened together share a stream.
      await sleep(0, signal, platform)
      changed = deferred()
      const again = changed.promise
      const { controller, release } = linkedController(signal)
      void again.then(() => controller.abort(restart))
      try {
        if (feeds.size > 0) await persist(streamOnce, controller.signal)
      } catch (error) {
        if (error !== restart) throw error
      } finally {
        release()
      }
    }
  }
  const begin = (): void => {
    if (life || failure) return
    const controller = new AbortController()
    life = controller
    run(controller.signal).catch((error: SfStreamError) => {
      if (controller.signal.aborted) return
      life = undefined
      failure = error
      org.reject(error)
      observed.set('failed', error)
      endAll(error)
    })
  }

  return {
    get endpoint() {
      return endpoint
    },
    get live() {
      return flowing && upstream && ![...feeds.values()].some(({ waiting }) => waiting)
    },
    now: () => platform.now() + skewMs,
    async start() {
      if (failure) {
        failure = undefined
        org = deferred()
      }
      begin()
      await org.promise
    },
    org() {
      if (!failure) begin()
      return org.promise
    },
    open(request: OpenRequest) {
      const feed = readerFeed(request, () => drained.resolve())
      if (failure) {
        feed.end(failure)
        return feed.feed
      }
      feeds.set(request.channel, feed)
      onAbort(request.signal, () => {
        const isOpen = feeds.get(request.channel) === feed
        endFeed(feed)
        if (isOpen) changed.resolve()
      })
      begin()
      changed.resolve()
      return feed.feed
    },
    hold: reading.hold,
    send: () =>
      Promise.reject(
        new StateError({
          code: 'reserved_channel',
          message: 'A relay carries events one way: nothing can be sent through it.',
          remediation: 'Send it to a service of your own.',
        }),
      ),
    observe: observed.observe,
    async stop() {
      failure = undefined
      const stopped = life
      life = undefined
      const error = new StateError({ code: 'client_stopped', message: 'The client was stopped.', remediation: 'Call start() again.' })
      stopped?.abort(error)
      org.reject(error)
      org = deferred()
      flowing = false
      endAll()
      if (stopped) observed.set('stopped')
    },
  }
}

function positionOf({ request }: ReaderFeed, cursor: string | undefined): CursorPosition | undefined {
  return cursor === undefined ? undefined : positionIn(cursor, request.channel)
}

function orgNamed(text = ''): string | undefined {
  try {
    const { org } = JSON.parse(text) as { org?: unknown }
    return typeof org === 'string' ? org : undefined
  } catch {
    return undefined
  }
}

const restart = Symbol('another stream')
