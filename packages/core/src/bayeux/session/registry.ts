import { onAbort } from '../../async/signals.ts'
import type { Feed, OpenRequest } from '../../source/source.ts'
import { matchesSubscription } from '../wire/channel.ts'
import type { BayeuxMessage } from '../wire/message.ts'
import { acceptFeed, endFeed, type FeedEntry, feedEntry, isReplayed, placeOf } from './feed-entry.ts'

/**
 * The channels that are wanted, and those the org has accepted in this session. Routes events to feeds. Knows nothing
 * of requests: whoever owns the session asks it what to send.
 */
export interface Registry {
  open(request: OpenRequest): Feed
  /** Feeds that still have to be asked for. */
  wanted(): FeedEntry[]
  readonly entries: ReadonlySet<FeedEntry>
  /** What the org holds subscribed in this session, as far as it has said. */
  readonly atOrg: Set<string>
  /** Hands events to their feeds, one batch each. False where some were left out: they may have crossed with a connect's. [PROTOCOL U9] */
  dispatch(events: readonly BayeuxMessage[], complete: boolean, bytesEach: number, from: 'handshake' | 'connect' | 'control'): boolean
  /** A request besides a connect is out: what a connect brings meanwhile waits until the returned function is called. [PROTOCOL U9] */
  control(): () => void
  /** Ends one feed: the org refused it. */
  refuse(entry: FeedEntry, error: unknown): void
  /** Ends every feed; without an error, so that each is opened again. */
  endAll(error?: unknown): void
  /** The smallest room among the feeds, for a reply of `bytes`; none where a batch has not been taken yet. */
  room(bytes: number): number
}

export interface RegistryHooks {
  opened(entry: FeedEntry): void
  closed(entry: FeedEntry): void
}

export function registry(hooks: RegistryHooks): Registry {
  return new RoutedFeeds(hooks)
}

class RoutedFeeds implements Registry {
  readonly entries = new Set<FeedEntry>()
  readonly atOrg = new Set<string>()
  readonly #hooks: RegistryHooks
  /** Which feeds a channel's events go to, remembered until a feed comes or goes. */
  readonly #routes = new Map<string, readonly FeedEntry[]>()
  #controlOut = false

  constructor(hooks: RegistryHooks) {
    this.#hooks = hooks
  }

  open(request: OpenRequest): Feed {
    const entry = feedEntry(request)
    this.entries.add(entry)
    this.#routes.clear()
    entry.cleanups.push(
      onAbort(request.signal, () => {
        if (entry.stage === 'ended') return
        this.#forget(entry)
        endFeed(entry)
        this.#hooks.closed(entry)
      }),
    )
    if (!request.signal.aborted) this.#hooks.opened(entry)
    return entry.feed
  }

  wanted(): FeedEntry[] {
    return [...this.entries].filter((entry) => entry.stage === 'wanted')
  }

  dispatch(events: readonly BayeuxMessage[], complete: boolean, bytesEach: number, from: 'handshake' | 'connect' | 'control'): boolean {
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
        if (entry.stage !== 'asking' && entry.stage !== 'accepted' && from !== 'handshake') continue
        if (from === 'control' && entry.stage === 'accepted' && isReplayed(entry, message)) {
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
      const waits = entry.stage === 'asking' || (this.#controlOut && from === 'connect' && isReplayed(entry, messages[0]))
      if (!waits) entry.batches.push(batch)
      else if (from === 'connect') entry.early.push(batch)
      else {
        entry.replied = true
        entry.early.splice(placeOf(batch, entry.early), 0, batch)
      }
    }
    return whole
  }

  control(): () => void {
    this.#controlOut = true
    return () => {
      this.#controlOut = false
      for (const entry of this.entries) if (entry.stage === 'accepted') acceptFeed(entry)
    }
  }

  refuse(entry: FeedEntry, error: unknown): void {
    this.#forget(entry)
    endFeed(entry, error)
  }

  endAll(error?: unknown): void {
    const ended = [...this.entries]
    this.entries.clear()
    this.#routes.clear()
    for (const entry of ended) endFeed(entry, error)
  }

  room(bytes: number): number {
    let least = Number.POSITIVE_INFINITY
    for (const { batches, early, request } of this.entries)
      least = Math.min(least, batches.size + early.length > 0 ? 0 : request.room(bytes))
    return least
  }

  #route(channel: string): readonly FeedEntry[] {
    let found = this.#routes.get(channel)
    if (!found) {
      found = [...this.entries].filter((entry) => matchesSubscription(entry.request.channel, channel))
      // Wildcards can bring any number of channels; the memory of them stays small.
      if (this.#routes.size > 1000) this.#routes.clear()
      this.#routes.set(channel, found)
    }
    return found
  }

  #forget(entry: FeedEntry): void {
    this.entries.delete(entry)
    this.#routes.clear()
  }
}
