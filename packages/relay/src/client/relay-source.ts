import {
  type OpenRequest,
  type Platform,
  ProtocolError,
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
  refusedPosition,
  sleep,
  type ToldError,
  textOf,
  toldError,
  untilAborted,
  webPlatform,
} from '@sfstream/core/internal'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { channelPart, cursorStart, positionIn } from '../cursor.ts'
import { checkedUrl } from './checked-url.ts'
import { deadline } from './deadline.ts'
import { answerOf, refusal, relayError, retryAfterMs } from './relay-errors.ts'

export interface RelayClientOptions {
  /** Sent with every request, for the relay's `authorize`; a function is asked before each. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>)
  /** As of `fetch`; 'include' sends cookies to a relay of another origin. */
  credentials?: 'omit' | 'same-origin' | 'include'
  platform?: Partial<Platform>
}

const baseMs = 500
const capMs = 30_000
/** As long as a relay takes to answer, and then some. */
const answerMs = 30_000
const maxFloorMs = 3_600_000
/** A stream that lasted for so long counts as progress, even if it brought nothing. */
const progressMs = 10_000
/** As of a message from an org. */
const maxBufferSize = 16_777_216
/** Heartbeats that may be missed. */
const missedBeats = 2
const slackMs = 5_000

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
  /** Of the run under way; of one that has failed, aborted with the error. */
  let life: AbortController | undefined
  let org = deferred<string>()
  /** What this run has learned; nothing is streamed before. */
  let orgName: string | undefined
  /** What is abandoned when channels are opened or closed. */
  let stream: AbortController | undefined
  /** The stream is there, and the relay has its session with the org. */
  let live = false
  /** Of the org's clock, as the relay knows it. */
  let skewMs = 0
  let silenceMs = answerMs
  /** No sooner may the next request leave. */
  let floorMs = 0
  /** Failures since the last progress. */
  let attempt = 0
  /** Headers that were made anew were refused too. */
  let askedAnew = false
  let eased = deferred<void>()
  const reading = holds(() => eased.resolve())

  const endFeed = (feed: ReaderFeed, error?: unknown): void => {
    if (feeds.get(feed.request.channel) === feed) feeds.delete(feed.request.channel)
    feed.end(error)
  }
  const endAll = (error?: unknown): void => {
    for (const feed of [...feeds.values()]) endFeed(feed, error)
  }
  const feedOf = (channel: string): ReaderFeed | undefined =>
    feeds.get(channel) ?? [...feeds.values()].find(({ request }) => matchesSubscription(request.channel, channel))

  const receive = ({ event, id, data }: EventSourceMessage): void => {
    const value = JSON.parse(data) as Record<string, unknown>
    const feed = feedOf(String(value.channel))
    const position = feed && id ? positionIn(id, feed.request.channel) : undefined
    if (event === undefined) {
      // What brings nobody further is no progress, however often it comes.
      if (position !== undefined) attempt = 0
      observed.message(value as { channel: string })
      return feed?.receive(value as { channel: string }, position, data.length)
    }
    if (event === 'hello' || event === 'live') {
      if (event === 'hello') {
        if (typeof value.heartbeatMs === 'number') silenceMs = value.heartbeatMs * missedBeats + slackMs
        if (value.org !== orgName) {
          // Positions of the other org mean nothing here: each channel begins anew.
          org = deferred()
          nameOrg(value.org)
          endAll()
        }
      }
      live = value.live === true
      if (typeof value.now === 'number') skewMs = value.now - platform.now()
      return observed.set(live ? 'live' : 'waiting')
    }
    // Of a newer relay, or about a channel that was closed meanwhile.
    if (!feed) return
    const { channel } = feed.request
    switch (event) {
      case 'subscribed':
        return feed.accept(position)
      case 'waiting':
        feed.waiting = true
        return
      case 'resubscribed':
        return feed.repeat()
      case 'replayGap': {
        const reason = value.reason as ReplayGapReason
        if (value.ended === true) return endFeed(feed, refusedPosition(feed, reason))
        return observed.report({
          type: 'replayGap',
          channel,
          reason,
          from: value.from as ReplayId | undefined,
          to: value.to as StartPosition,
        })
      }
      case 'failed': {
        const told = value.error as ToldError
        // It is nothing of the channel's: the relay begins it again when it is asked for again.
        if (told.code === 'client_stopped') throw toldError({ ...told, retryable: true })
        return endFeed(feed, toldError(told, channel))
      }
    }
  }
  const nameOrg = (name: unknown): void => {
    orgName = String(name)
    org.resolve(orgName)
  }

  /** What takes longer is given up, and with it all that hangs on the signal. */
  const within = async <T>(ms: number, controller: AbortController, work: Promise<T>): Promise<T> => {
    const cancel = deadline(ms, platform, () => controller.abort(relayError(endpoint, 'timeout', `was silent for ${ms} ms`)))
    try {
      return await untilAborted(work, controller.signal)
    } finally {
      cancel()
    }
  }
  /** @throws SfStreamError where it is refused */
  const get = async (target: URL, accept: string, signal: AbortSignal): Promise<Response> => {
    const headers = typeof options.headers === 'function' ? await options.headers() : options.headers
    const response = await platform.fetch(target, {
      headers: { ...headers, accept },
      signal,
      // It would carry the headers to wherever it points. [PROTOCOL T3]
      redirect: 'manual',
      ...(options.credentials ? { credentials: options.credentials } : {}),
    })
    floorMs = Math.min(retryAfterMs(response, platform.now()), maxFloorMs)
    if (!response.ok) throw await refusal(response, endpoint)
    askedAnew = false
    return response
  }
  const askOrg = async (signal: AbortSignal): Promise<void> => {
    const { org: name } = await answerOf(await get(endpoint, 'application/json', signal))
    if (typeof name !== 'string') {
      const remediation = 'Check the URL, and that nothing in between answers in its place.'
      throw relayError(endpoint, 'bad_reply', 'does not name its org', { kind: ProtocolError, remediation })
    }
    nameOrg(name)
  }
  /** One stream, to its end. */
  const readStream = async (controller: AbortController): Promise<void> => {
    const { signal } = controller
    const target = new URL(endpoint)
    let cursor = cursorStart(orgName as string)
    for (const { request, position } of feeds.values()) {
      target.searchParams.append('channel', request.channel)
      cursor += channelPart(request.channel) + position
    }
    target.searchParams.set('cursor', cursor)
    target.searchParams.set('fallback', 'none')
    const response = await within(answerMs, controller, get(target, 'text/event-stream', signal))
    const reader = response.body?.getReader()
    const type = response.headers.get('content-type')
    try {
      if (!reader || !type?.includes('text/event-stream')) throw relayError(endpoint, 'bad_reply', `sends no event stream but ${type}`)
      const decoder = new TextDecoder()
      const parser = createParser({
        maxBufferSize,
        onEvent: receive,
        onRetry(ms) {
          floorMs = Math.min(ms, maxFloorMs) * (1 + platform.random())
        },
        onError({ type }) {
          if (type !== 'max-buffer-size-exceeded') return
          const remediation = 'Ask those who run it.'
          throw relayError(endpoint, 'message_too_large', `sent an event of over ${maxBufferSize} bytes`, {
            kind: ProtocolError,
            remediation,
          })
        },
      })
      for (;;) {
        const { done, value } = await within(silenceMs, controller, reader.read())
        // It may be an earlier opening's, and would move a later one of the channel.
        signal.throwIfAborted()
        if (done) throw relayError(endpoint, 'network', 'has ended its stream')
        parser.feed(decoder.decode(value, { stream: true }))
        for (const feed of feeds.values()) feed.flush()
        // Not reading, not even its heartbeats, is what slows the relay down.
        while (reading.held || [...feeds.values()].some(({ batches }) => batches.size > 0)) {
          eased = deferred()
          await untilAborted(eased.promise, signal)
        }
      }
    } finally {
      live = false
      reader?.cancel().catch(() => {})
      for (const feed of feeds.values()) feed.interrupt()
    }
  }

  /** How long to wait after an error. @throws the error itself, where there is no use in trying again */
  const delayAfter = (cause: unknown, startedAt: number): number => {
    const error =
      cause instanceof SfStreamError
        ? cause
        : cause instanceof SyntaxError
          ? relayError(endpoint, 'bad_reply', 'sends what is no JSON', { cause })
          : relayError(endpoint, 'network', `cannot be reached: ${textOf(cause)}`, { cause })
    const refused = feeds.get(error.channel ?? '')
    if (refused) {
      endFeed(refused, error)
      return 0
    }
    // Headers made anew may do.
    const mayAskAnew = error.code === 'login_refused' && typeof options.headers === 'function' && !askedAnew
    if (!error.retryable && !mayAskAnew) throw error
    askedAnew = mayAskAnew
    if (platform.now() - startedAt >= progressMs) attempt = 0
    const drawn = platform.random() * Math.min(capMs, baseMs * 2 ** attempt++)
    const delayMs = Math.round(Math.max(drawn, floorMs))
    observed.set('waiting')
    observed.report({ type: 'retry', what: 'connect', attempt, delayMs, error })
    return delayMs
  }
  const run = async (signal: AbortSignal): Promise<void> => {
    let delayMs = 0
    orgName = undefined
    observed.set('handshaking')
    for (;;) {
      const { controller, release } = linkedController(signal)
      let startedAt = 0
      try {
        // Channels that are opened together share a stream; those opened or closed meanwhile are in the next one, and do not hurry it.
        await sleep(delayMs, controller.signal, platform)
        delayMs = 0
        startedAt = platform.now()
        floorMs = 0
        if (orgName === undefined) {
          await within(answerMs, controller, askOrg(controller.signal))
          signal.throwIfAborted()
          observed.set('live')
          continue
        }
        stream = controller
        if (feeds.size > 0) await readStream(controller)
        else await untilAborted(new Promise<void>(() => {}), controller.signal)
      } catch (error) {
        signal.throwIfAborted()
        // What was refused may be a channel that has been closed since.
        delayMs = controller.signal.reason === restart ? 0 : delayAfter(error, startedAt)
      } finally {
        release()
        controller.abort()
      }
    }
  }
  const begin = (): void => {
    if (life) return
    const controller = new AbortController()
    life = controller
    run(controller.signal).catch((error: SfStreamError) => {
      if (controller.signal.aborted) return
      controller.abort(error)
      org.reject(error)
      observed.set('failed', error)
      endAll(error)
    })
  }

  return {
    endpoint,
    get live() {
      return live && ![...feeds.values()].some(({ waiting }) => waiting)
    },
    now: () => platform.now() + skewMs,
    async start() {
      if (life?.signal.aborted) {
        life = undefined
        org = deferred()
      }
      begin()
      await org.promise
    },
    org() {
      begin()
      return org.promise
    },
    open(request: OpenRequest) {
      const feed = readerFeed(request, () => eased.resolve())
      begin()
      if (life?.signal.aborted) feed.end(life.signal.reason)
      else {
        feeds.set(request.channel, feed)
        stream?.abort(restart)
        onAbort(request.signal, () => {
          if (feeds.get(request.channel) === feed) stream?.abort(restart)
          endFeed(feed)
        })
      }
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
      const error = new StateError({ code: 'client_stopped', message: 'The client was stopped.', remediation: 'Call start() again.' })
      const isRunning = life?.signal.aborted === false
      life?.abort(error)
      life = undefined
      org.reject(error)
      org = deferred()
      endAll()
      if (isRunning) observed.set('stopped')
    },
  }
}

const restart = Symbol('another stream')
