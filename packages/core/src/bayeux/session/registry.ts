import type { Feed, OpenRequest } from '../../source/source.ts'
import { matchesSubscription } from '../wire/channel.ts'
import type { BayeuxMessage } from '../wire/message.ts'
import type { Answer } from './conversation.ts'
import { FeedEntry, type FeedOwner, placeOf } from './feed-entry.ts'
import type { Session } from './session.ts'

/**
 * The channels that are wanted, and those the org has accepted in this session. Routes events to feeds. Knows nothing
 * of requests: whoever owns the session asks it what to send.
 */
export interface Registry {
  open(request: OpenRequest): Feed
  /** Feeds that still have to be asked for. */
  wanted(): FeedEntry[]
  /** What the org holds subscribed in this session, as far as it has said. */
  atOrg: readonly string[]
  /** What it has refused to let go of. [PROTOCOL U8] */
  kept: readonly string[]
  /** The org holds a channel no more. */
  letGo(channel: string): void
  /** What of it no feed has asked for, or has any more. */
  stale(): string[]
  /** Hands the events of a reply to their feeds, one batch each. False where some were left out: they may have crossed with a connect's. [PROTOCOL U9] */
  dispatch(answer: Answer, request: string): boolean
  /** Whether a request besides a connect is out: what a connect brings meanwhile waits. [PROTOCOL U9] */
  control(out: boolean): void
  /** Ends one feed: the org refused it, or its caller is done with it. */
  end(entry: FeedEntry, error?: unknown): void
  /** Ends every feed; without an error, so that each is opened again. */
  endAll(error?: unknown): void
  /** The smallest room among the feeds, for a reply of `bytes`; none where a batch has not been taken yet. */
  room(bytes: number): number
}

/** The lane is told when a feed was opened, or closed by its caller. */
export function registry(session: Pick<Session, 'lane'>): Registry {
  return new RoutedFeeds(session)
}

class RoutedFeeds implements Registry, FeedOwner {
  atOrg: readonly string[] = []
  kept: readonly string[] = []
  #entries: FeedEntry[] = []
  readonly #session: Pick<Session, 'lane'>
  /** Which feeds a channel's events go to, remembered until a feed comes or goes. */
  #routes: Map<string, readonly FeedEntry[]> | undefined
  #controlOut = false

  constructor(session: Pick<Session, 'lane'>) {
    this.#session = session
  }

  open(request: OpenRequest): Feed {
    const entry = new FeedEntry(request, this)
    this.#keep(this.#entries.concat(entry))
    request.signal.addEventListener('abort', entry, { once: true })
    if (request.signal.aborted) this.end(entry)
    this.#session.lane.pump()
    return entry
  }

  left(entry: FeedEntry): void {
    this.end(entry)
    this.#session.lane.pump()
  }

  wanted(): FeedEntry[] {
    return this.#entries.filter((entry) => entry.stage === 'wanted')
  }

  letGo(channel: string): void {
    this.atOrg = this.atOrg.filter((other) => other !== channel)
  }

  stale(): string[] {
    const asked = new Set(this.#entries.map((entry) => (entry.stage === 'wanted' ? undefined : entry.request.channel)))
    return this.atOrg.filter((channel) => !asked.has(channel))
  }

  dispatch({ decoded: { events }, complete, bytesEach }: Answer, request: string): boolean {
    let whole = true
    if (events.length === 0) return whole
    const batches = new Map<FeedEntry, BayeuxMessage[]>()
    // Events of a channel come in runs: it and its feeds are looked up once for each.
    let channel: string | undefined
    let feeds: readonly FeedEntry[] = []
    let last: FeedEntry | undefined
    let lastBatch: BayeuxMessage[] = []
    for (const message of events) {
      if (message.channel !== channel) {
        channel = message.channel as string
        feeds = this.#route(channel)
      }
      for (const entry of feeds) {
        // What is on its way from before a subscribe request will be replayed; let through, it would overtake.
        if (entry.stage !== 'asking' && entry.stage !== 'accepted' && request !== 'handshake') continue
        if (request !== 'connect' && entry.stage === 'accepted' && entry.replays(message)) {
          entry.stage = 'crossed'
          whole = false
          continue
        }
        if (entry !== last) {
          last = entry
          lastBatch = batches.get(entry) ?? []
          batches.set(entry, lastBatch)
        }
        lastBatch.push(message)
      }
    }
    for (const [entry, messages] of batches) {
      const batch = { messages, complete, bytesEach }
      const waits = entry.stage === 'asking' || (this.#controlOut && request === 'connect' && entry.replays(messages[0]))
      if (!waits) entry.batches.push(batch)
      else if (request === 'connect') entry.early.push(batch)
      else {
        entry.replied = true
        entry.early.splice(placeOf(batch, entry.early), 0, batch)
      }
    }
    return whole
  }

  control(out: boolean): void {
    this.#controlOut = out
    if (!out) for (const entry of this.#entries) if (entry.stage === 'accepted') entry.accept()
  }

  end(entry: FeedEntry, error?: unknown): void {
    this.#keep(this.#entries.filter((other) => other !== entry))
    entry.end(error)
  }

  endAll(error?: unknown): void {
    const ended = this.#entries
    this.#keep([])
    for (const entry of ended) entry.end(error)
  }

  room(bytes: number): number {
    let least = Number.POSITIVE_INFINITY
    for (const { batches, early, request } of this.#entries)
      least = Math.min(least, batches.size + early.length > 0 ? 0 : request.room(bytes))
    return least
  }

  #route(channel: string): readonly FeedEntry[] {
    // Wildcards can bring any number of channels; the memory of them stays small.
    if (!this.#routes || this.#routes.size > 1000) this.#routes = new Map()
    let found = this.#routes.get(channel)
    if (!found) {
      found = this.#entries.filter((entry) => matchesSubscription(entry.request.channel, channel))
      this.#routes.set(channel, found)
    }
    return found
  }

  #keep(entries: FeedEntry[]): void {
    this.#entries = entries
    this.#routes = undefined
  }
}
