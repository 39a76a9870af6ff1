import type { SourceState, SourceStatus, StartPosition } from '@sfstream/core'
import { isReplayId, type Mark, type ToldError } from '@sfstream/core/internal'

/** How far a feed has come by the count of a leader: numbers of one epoch can be compared, replay ids cannot. */
export interface Stamp {
  epoch: number
  number: number
}

/** A channel that a tab holds open. */
export interface TabFeed {
  feed: number
  channel: string
  position: StartPosition | Mark
  stamp?: Stamp | undefined
}

/** From a tab to the leader; `tab` is who says it. */
export type TabMessage =
  /** Is there a leader? */
  | { type: 'hello'; tab: string }
  /** All that a tab holds open, for a new leader; one that has failed asks for no session before it is started. */
  | { type: 'present'; tab: string; epoch: number; feeds: readonly TabFeed[]; failed: boolean }
  /** Said to the leader of that epoch, as `more` is; a later one is told by `present`. */
  | { type: 'open'; tab: string; epoch: number; opened: TabFeed }
  /** There is room for another batch. */
  | { type: 'more'; tab: string; epoch: number; feed: number }
  | { type: 'close'; tab: string; feed: number }
  | { type: 'bye'; tab: string }

export type FeedNews =
  | { what: 'subscribed'; position: StartPosition | Mark }
  | { what: 'waiting' | 'resubscribed' }
  | { what: 'gap'; reason: string; from?: unknown; to: StartPosition; own: boolean }
  | {
      what: 'events'
      events: readonly { text: string; position?: StartPosition | undefined }[]
      stamp?: Stamp | undefined
    }
  | { what: 'failed'; error: ToldError }

/** From the leader to all tabs. What is of an older epoch counts for nothing. */
export type LeaderMessage =
  /** A leader has begun: who is there? */
  | { type: 'leader'; epoch: number }
  /** What it knows of the session; `skewMs` is how far the org's clock is ahead, `failures` tells one failure from the next. */
  | {
      type: 'session'
      epoch: number
      org?: string | undefined
      skewMs: number
      state: SourceState
      failures: number
      error?: ToldError | undefined
    }
  | { type: 'status'; epoch: number; status: SourceStatus; error?: ToldError | undefined }
  /** `skewMs` again: a machine's clock may be set while a session lasts, and acceptances are dated by it. */
  | { type: 'feed'; epoch: number; to: string; feed: number; skewMs: number; news: readonly FeedNews[] }

export type Message = TabMessage | LeaderMessage

/**
 * Whatever else an origin runs may speak on a channel of that name, another version of this package too: what is not whole is left alone,
 * for half of it would be acted on.
 */
export function isMessage(value: unknown): value is Message {
  const message = fieldsOf(value)
  const { type, epoch, tab, feed } = message
  switch (type) {
    case 'leader':
      return isCount(epoch)
    case 'session':
      return isCount(epoch) && isText(message.state) && isCount(message.skewMs) && (message.org === undefined || isText(message.org))
    case 'status':
      return isCount(epoch) && isText(fieldsOf(message.status).type)
    case 'feed':
      return isCount(epoch) && isText(message.to) && isCount(feed) && isCount(message.skewMs) && isListOf(message.news, isNews)
    case 'present':
      return isText(tab) && isCount(epoch) && isListOf(message.feeds, isTabFeed)
    case 'open':
      return isText(tab) && isCount(epoch) && isTabFeed(message.opened)
    case 'more':
      return isText(tab) && isCount(epoch) && isCount(feed)
    case 'close':
      return isText(tab) && isCount(feed)
    default:
      return (type === 'hello' || type === 'bye') && isText(tab)
  }
}

function isTabFeed(value: unknown): boolean {
  const { feed, channel, position, stamp } = fieldsOf(value)
  const { epoch, number } = fieldsOf(stamp)
  return isCount(feed) && isText(channel) && isPosition(position) && (stamp === undefined || (isCount(epoch) && isCount(number)))
}

function isNews(value: unknown): boolean {
  const { what, position, events, reason, to } = fieldsOf(value)
  switch (what) {
    case 'subscribed':
      return isPosition(position)
    case 'events':
      return isListOf(events, isEvent)
    case 'gap':
      return isText(reason) && isPosition(to)
    default:
      // Of a newer version may be what nobody here knows.
      return isText(what)
  }
}

function isEvent(value: unknown): boolean {
  const { text, position } = fieldsOf(value)
  return isText(text) && (position === undefined || isPosition(position))
}

function isPosition(value: unknown): boolean {
  const { hub, number } = fieldsOf(value)
  return isReplayId(value) || value === 'all' || value === 'new' || value === 'off' || (isText(hub) && isCount(number))
}

function isListOf(value: unknown, isOne: (each: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne)
}

/** An epoch that cannot be counted on from would be later than that of any leader to come. */
function isCount(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return (value ?? {}) as Record<string, unknown>
}
