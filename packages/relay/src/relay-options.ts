import type { Platform, StreamingClient } from '@sfstream/core'
import type { NodeRequest, NodeResponse } from './replies.ts'

export interface RelayOptions {
  /**
   * Makes a client with the org: one for the live session, and one for each replay, with `replayStore: null`, for the positions are
   * the browsers' own. The relay stops what it was given.
   */
  connect(purpose: 'live' | 'replay'): StreamingClient
  /** The channels that may be asked for. No two whose events look alike, such as two filters of one topic: those need a relay each. */
  channels: readonly string[]
  /**
   * Asked for each channel of each request, and again at least every `maxStreamMs`. False answers 403; a Response is sent as it is,
   * such as a 401 of your own, and may be one for all. What takes over 25 s, or throws, answers 503.
   */
  authorize(request: Request, channel: string): boolean | Response | Promise<boolean | Response>
  /** Where a request without a position begins; 'new' by default. */
  from?: 'new' | 'all'
  /** What a position that is unknown, refused or of another org is replaced by, always reported; 'all' by default, which loses nothing. */
  fallback?: 'all' | 'new'
  /** Pages of other origins that may read; none by default. `credentials` lets them send cookies. */
  cors?: { origins: readonly string[] | '*'; credentials?: boolean }
  /** Events kept of each channel for those who come back; 10,000 and 16 MB of JSON text by default. */
  window?: { maxEvents?: number; maxBytes?: number }
  /** Replays at a time; 1 by default, for each is a session at the org. */
  maxCatchUps?: number
  /** How long a reader that reads nothing may hold up a replay; 5,000 by default. */
  stallMs?: number
  /** A comment is sent when nothing else was for so long; 15,000 by default. */
  heartbeatMs?: number
  /** Streams at a time; 1,000 by default. */
  maxClients?: number
  /** Streams at a time of those for whom `limitBy` returns the same text; 20 by default. */
  maxClientsEach?: number
  /** Names who asks, such as a user or an address. Without it only `maxClients` holds. */
  limitBy?(request: Request): string | undefined
  /** A stream is ended after so long, and begun again by its reader, which authorizes it anew; an hour by default. */
  maxStreamMs?: number
  /** A channel nobody reads, or a session without one, is kept for so long; 5 minutes by default. */
  lingerMs?: number
  /**
   * Told what readers are not: what `authorize`, `limitBy` or `connect` threw, and why the live session failed. Nothing is lost by leaving
   * it out but the reason.
   */
  onError?(error: unknown): void
  platform?: Partial<Platform>
}

/** Answers requests; made by `createRelay`. */
export interface Relay {
  (request: Request): Promise<Response>
  /** The same for Node's own server, `createServer(relay.node)`: faster than by way of a Response. */
  node(request: NodeRequest, response: NodeResponse): Promise<void>
  readonly stats: RelayStats
  /** Ends every stream with word to come back, and stops the live client. Requests are answered 503 from then on. */
  close(): Promise<void>
}

export interface RelayStats {
  /** Streams open now. */
  clients: number
  /** Channels held at the org now. */
  channels: number
  /** Replays begun since the relay was made. */
  catchUps: number
}

export type CheckedRelayOptions = Required<Omit<RelayOptions, 'cors' | 'limitBy' | 'platform' | 'window'>> &
  Pick<RelayOptions, 'cors' | 'limitBy'> & { window: { maxEvents: number; maxBytes: number }; platform: Platform }
