import type { BayeuxMessage } from '@sfstream/core'
import type { SeenRequest } from '../records.ts'

/** The kinds of request a fault can wait for. `cometd` is any Bayeux request, `oauth` anything of OAuth but the token endpoint. */
export type RequestKind =
  | 'handshake'
  | 'connect'
  | 'subscribe'
  | 'unsubscribe'
  | 'disconnect'
  | 'cometd'
  | 'token'
  | 'soap'
  | 'oauth'
  | 'versions'
  | 'rest'
  | 'any'

/** One thing that goes wrong. What stands in the way of the request happens before the org sees it, the rest after. */
export type Fault =
  /** An HTTP reply instead of the org's; with `afterMs`, a proxy's, which waits so long for the org first. */
  | { kind: 'http'; status: number; headers?: Record<string, string>; body?: string; afterMs?: number }
  /** Bayeux messages instead of the org's; a function gets those that were sent. */
  | { kind: 'messages'; messages: readonly BayeuxMessage[] | ((sent: readonly BayeuxMessage[]) => readonly BayeuxMessage[]) }
  /** The message fails; the others of its request do not. `kicked` puts a `/meta/disconnect` before it. */
  | {
      kind: 'fail'
      error: string
      failureReason?: string
      reconnect?: 'none' | 'handshake' | 'retry'
      kicked?: boolean
      /** Fields left out of the reply, such as `channel` and `id`. */
      without?: readonly string[]
    }
  /** A login or a REST call is refused in the form of its kind: OAuth's JSON, a SOAP fault (always 500), REST's list. Status 400. */
  | { kind: 'refuse'; error: string; description: string; status?: number }
  /** The connection breaks before the headers: the request never arrived, or (`lost: 'reply'`) its answer was lost. */
  | { kind: 'network-error'; lost?: 'request' | 'reply' }
  /** The body breaks off after so many bytes. What it carried is gone. */
  | { kind: 'cut'; afterBytes: number }
  /** The whole body arrives, then the connection breaks instead of ending. */
  | { kind: 'cut-after-body' }
  /** The answer's headers come this much later. */
  | { kind: 'delay'; ms: number }
  /** The body trickles. */
  | { kind: 'drip'; bytes: number; everyMs: number }
  /** Never answered. */
  | { kind: 'hold' }
  /** The answer's body is another. */
  | { kind: 'rewrite'; body: (body: string) => string }
  /** Something else happens first; the request is then answered as usual. */
  | { kind: 'call'; call: (request: SeenRequest) => void }

/** A fault and the request it waits for. */
export type PlannedFault = Fault & {
  on: RequestKind
  /** How many requests it befalls. Default 1; Infinity for all. */
  times?: number
  /** How many matching requests pass first. Default 0. */
  after?: number
  /** Only subscriptions of this channel. */
  channel?: string
  /** Any further condition. */
  when?: (request: SeenRequest) => boolean
}
