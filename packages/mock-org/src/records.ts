import type { BayeuxMessage } from '@sfstream/core'
import { bearer } from './auth/bearer.ts'
import { tokenHash } from './auth/token-store.ts'
import type { RequestKind } from './faults/fault.ts'
import { textOf } from './text-of.ts'

/** A request as the org saw it. Secrets are not kept: of a token, a short hash. */
export interface SeenRequest {
  readonly at: number
  readonly method: string
  readonly origin: string
  /** With the query, as it came. */
  readonly path: string
  readonly kinds: readonly RequestKind[]
  /** The channels of its Bayeux messages, in order. */
  readonly channels: readonly string[]
  readonly subscriptions: readonly string[]
  readonly clientId: string | undefined
  /** Names the token of the Authorization header. */
  readonly bearer: string | undefined
  readonly grantType: string | undefined
  readonly bytes: number
  /** The reply's status; `'lost'` when there was none. */
  status: number | 'lost' | undefined
}

export interface RequestFacts {
  at: number
  method: string
  url: URL
  /** The address within a site; undefined: outside of it. */
  inner: URL | undefined
  authorization: string | null
  body: string
  messages: readonly BayeuxMessage[] | undefined
}

export function seenRequest({ at, method, url, inner = url, authorization, body, messages = [] }: RequestFacts): SeenRequest {
  const { pathname } = inner
  const channels = messages.map((message) => textOf(message.channel))
  return {
    at,
    method,
    origin: url.origin,
    path: url.pathname + url.search,
    kinds: kindsOf(pathname, channels),
    channels,
    subscriptions: messages.flatMap((message) => message.subscription ?? []),
    clientId: messages.find((message) => message.clientId !== undefined)?.clientId,
    bearer: tokenHash(bearer(authorization)),
    grantType: pathname === '/services/oauth2/token' ? (new URLSearchParams(body).get('grant_type') ?? undefined) : undefined,
    bytes: body.length,
    status: undefined,
  }
}

const metaKinds: ReadonlyMap<string, RequestKind> = new Map([
  ['/meta/handshake', 'handshake'],
  ['/meta/connect', 'connect'],
  ['/meta/subscribe', 'subscribe'],
  ['/meta/unsubscribe', 'unsubscribe'],
  ['/meta/disconnect', 'disconnect'],
])

function kindsOf(path: string, channels: readonly string[]): RequestKind[] {
  if (path.startsWith('/cometd')) return ['cometd', ...channels.flatMap((channel) => metaKinds.get(channel) ?? [])]
  if (path === '/services/oauth2/token') return ['token']
  if (path.startsWith('/services/Soap/')) return ['soap']
  if (/^\/services\/data\/?$/.test(path)) return ['versions']
  return path.startsWith('/services/data/') ? ['rest'] : ['oauth']
}

/** The newest `capacity` of a list. */
export function keepNewest<T>(list: T[], item: T, capacity: number): void {
  list.push(item)
  // Halved at once: removing one by one from the front is quadratic.
  if (list.length > capacity * 2) list.splice(0, list.length - capacity)
}
