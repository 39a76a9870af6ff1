import type { Accounts } from './auth/accounts.ts'
import type { PendingCode } from './auth/authorization-code.ts'
import type { PendingDevice } from './auth/device-flow.ts'
import type { IdentityKey } from './auth/id-token.ts'
import type { TokenStore } from './auth/token-store.ts'
import type { Session } from './bayeux/session.ts'
import type { SessionTable } from './bayeux/session-table.ts'
import type { Clock } from './clock.ts'
import type { EventBus } from './events/event-bus.ts'
import type { LoggedEvent } from './events/logged-event.ts'
import type { Hosts } from './hosts.ts'
import type { Limits } from './limits.ts'
import type { Switches } from './switches.ts'
import type { Usage } from './usage.ts'

/** The state of one org: what its parts share. */
export interface World {
  readonly clock: Clock
  readonly random: () => number
  readonly switches: Switches
  readonly limits: Limits
  readonly hosts: Hosts
  readonly accounts: Accounts
  readonly tokens: TokenStore
  readonly bus: EventBus
  readonly sessions: SessionTable
  readonly usage: Usage
  /** The load balancer's cookies. */
  readonly affinity: Map<string, { node: number; expiresAt: number }>
  /** Refusals of single channels, by channel. */
  readonly denied: Map<string, string>
  /** Authorization codes given out, and whether the user refuses. */
  readonly codes: { denied: boolean; readonly pending: Map<string, PendingCode> }
  /** Device codes given out. */
  readonly devices: Map<string, PendingDevice>
  /** Record ids of generic channels. */
  readonly streamingChannels: Map<string, string>
  readonly versions: readonly string[]
  /** The pages that may read REST replies: Setup's CORS allowlist. */
  readonly corsOrigins: readonly string[]
  /** Signs id tokens; made when first asked for. */
  readonly identityKey: { made?: Promise<IdentityKey> }
  /** Counted for inspection. */
  readonly counts: { handshakes: number; logins: number }
  /** Ends a token (all, when none is named), and the held connects that rest on it. */
  revokeToken(value?: string): void
  onDelivered(session: Session, event: LoggedEvent): void
  /** Work in real time, such as cryptography: a virtual clock stands still meanwhile. */
  track<T>(work: Promise<T>): Promise<T>
}
