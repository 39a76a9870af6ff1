import type { HoldEnd, Session } from '../bayeux/session.ts'
import { authenticationInvalid, serverBusy, serverLimit, unknownClient } from '../bayeux/texts.ts'
import { checkBusy, checkFault } from '../check-options.ts'
import { MockOrgError } from '../mock-org-error.ts'
import type { World } from '../world.ts'
import type { PlannedFault } from './fault.ts'
import type { FaultPlan } from './fault-plan.ts'
import { isScenario, type ScenarioId, scenarioIds, scenarios } from './scenarios.ts'

/** What can be done to an org, and to its clients. */
export interface Faults {
  /** Plans a single fault; returns what takes it back. @throws MockOrgError for a kind, a request or a field that nobody knows */
  next(fault: PlannedFault): () => void
  /** Arms a named scenario. @throws MockOrgError when there is none of that name. */
  scenario(id: ScenarioId | (string & {})): void
  /** Takes back every planned fault; switches stay as they are. */
  clear(): void
  /** Planned faults that have not befallen anything yet. */
  readonly pending: number
  /** The sessions are gone, as after a node's restart. Held connects are told: `kicked` as a `/meta/disconnect` with `reconnect: none`. */
  loseSessions(options?: { clientId?: string; kicked?: boolean }): void
  /** Ends access tokens; held connects get a 401 after `switches.revalidateTokenMs`. */
  revokeTokens(options?: { refreshTokensToo?: boolean }): void
  /** The org moves to another instance: old tokens and sessions end, the old address is gone, replay ids start anew. */
  migrate(newInstanceUrl?: string): void
  /** The bus was reset: earlier replay ids mean nothing any more. */
  resetReplayIds(firstId?: bigint): void
  /** The server sends a `/meta/disconnect` of its own and forgets the sessions. */
  disconnect(): void
  /** The next so many requests of these kinds are told that the server is busy. Default: one connect. */
  busy(options?: { on?: 'handshake' | 'connect' | 'subscribe'; times?: number }): void
  /** The next so many handshakes are refused to protect the server. */
  protect(times?: number): void
  /** Breaks every connection that is waiting for its reply. */
  cutConnections(): void
  /** Nothing gets through until the returned function is called: every request fails before its headers. */
  offline(): () => void
  /** Subscriptions of one channel are refused with this text; without a text they are allowed again. */
  deny(channel: string, error?: string): void
  /** The user refuses at the authorization page from now on, or no longer. */
  denyAuthorization(denied?: boolean): void
}

export function faults(world: World, plan: FaultPlan, cutWaiting: () => void, migrationUrl: string): Faults {
  const { sessions, switches } = world
  const everySession = (): Session[] => sessions.all()

  const self: Faults = {
    next(fault) {
      checkFault(fault)
      return plan.add(fault)
    },
    scenario(id) {
      if (!isScenario(id)) throw new MockOrgError(`There is no scenario ${id}`, `Those of this org are ${scenarioIds.join(', ')}.`)
      scenarios[id].arm({ world, faults: self })
    },
    clear: () => plan.clear(),
    get pending() {
      return plan.pending
    },
    loseSessions({ clientId, kicked = false } = {}) {
      // Facts 3.1: only who is kicked is told its clientId.
      const end: HoldEnd = kicked
        ? { kind: 'failed', error: unknownClient(switches.unknownClientCode), reconnect: 'none', kicked }
        : { kind: 'expired' }
      for (const session of everySession()) if (clientId === undefined || session.clientId === clientId) sessions.remove(session, end)
    },
    revokeTokens({ refreshTokensToo = false } = {}) {
      world.revokeToken()
      if (refreshTokensToo) world.tokens.revokeRefresh()
    },
    migrate(newInstanceUrl = migrationUrl) {
      world.hosts.move(newInstanceUrl)
      world.tokens.revoke()
      world.bus.resetIds()
      for (const session of everySession()) {
        sessions.remove(session, { kind: 'failed', error: authenticationInvalid, reconnect: 'none', kicked: true })
      }
    },
    resetReplayIds: (firstId) => world.bus.resetIds(firstId),
    disconnect() {
      for (const session of everySession()) sessions.remove(session, { kind: 'goodbye' })
    },
    busy(options = {}) {
      checkBusy(options)
      const { on = 'connect', times = 1 } = options
      // Facts 3.1: the error of a busy connect claims 401, that of a busy subscribe a missing permission.
      const error =
        on === 'connect'
          ? authenticationInvalid
          : on === 'subscribe'
            ? '403:denied_by_security_policy:subscribe_denied'
            : '403::Handshake denied'
      plan.add({ on, kind: 'fail', error, failureReason: serverBusy, times, ...(on === 'subscribe' ? {} : { reconnect: 'none' as const }) })
    },
    protect(times = 1) {
      plan.add({ on: 'handshake', kind: 'fail', error: '403::Handshake denied', failureReason: serverLimit, reconnect: 'none', times })
    },
    cutConnections() {
      for (const session of everySession()) session.held?.finish({ kind: 'cut' })
      cutWaiting()
    },
    offline() {
      self.cutConnections()
      return plan.add({ on: 'any', kind: 'network-error', times: Number.POSITIVE_INFINITY })
    },
    deny(channel, error) {
      if (error === undefined) world.denied.delete(channel)
      else world.denied.set(channel, error)
    },
    denyAuthorization(denied = true) {
      world.codes.denied = denied
    },
  }
  return self
}
