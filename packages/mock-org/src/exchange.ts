import type { BayeuxMessage } from '@sfstream/core'
import type { Fault } from './faults/fault.ts'

/** Which of the org's doors a host is. */
export type HostRole = 'login' | 'test' | 'instance' | 'site'

/** One request on its way through the org. */
export interface Exchange {
  readonly role: HostRole
  /** Of a site: with the path that it lives under. */
  readonly origin: string
  /** Whether `Secure` cookies would come back. */
  readonly secure: boolean
  readonly cookies: string
  readonly setCookies: string[]
  readonly signal: AbortSignal | undefined
  readonly body: string
  /** The Bayeux messages, when the body is some. */
  readonly messages: readonly BayeuxMessage[] | undefined
  /** A failure to answer one of the messages with. */
  readonly fault: Extract<Fault, { kind: 'fail' }> | undefined
  readonly faultOn: string | undefined
}

/** The connection breaks before the reply's headers. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}
