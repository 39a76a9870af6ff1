/** One Bayeux message as it stands on the wire. Unknown fields are kept. */
export interface BayeuxMessage {
  channel?: string
  id?: string | number
  clientId?: string
  successful?: boolean
  error?: string
  subscription?: string | string[]
  advice?: Advice
  data?: unknown
  ext?: Record<string, unknown>
  version?: string
  minimumVersion?: string
  supportedConnectionTypes?: string[]
  connectionType?: string
  timestamp?: string
  [key: string]: unknown
}

/** What the server tells a client to do next. */
export interface Advice {
  reconnect?: string
  /** Wait before the next connect. */
  interval?: number
  /** How long the server holds a connect. */
  timeout?: number
  maxInterval?: number
  'multiple-clients'?: boolean
  hosts?: string[]
  [key: string]: unknown
}

/** A message a caller sends: `id` and `clientId` are added. */
export type OutgoingMessage = BayeuxMessage & { channel: string }
