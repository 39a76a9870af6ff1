import type { MockOrg } from '@sfstream/mock-org'
import type { FaultKind } from './fault-schedule.ts'
import type { Relay } from './relay.ts'

/** Does it now. A restart takes `downMs`; the sessions are gone then, and the log is not. */
export async function injectFault(kind: FaultKind, org: MockOrg, relay: Relay, downMs: number): Promise<void> {
  const { faults } = org
  switch (kind) {
    case 'sessions lost':
      return faults.loseSessions()
    case 'client kicked':
      return faults.loseSessions({ kicked: true })
    case 'server goodbye':
      return faults.disconnect()
    case 'tokens revoked':
      return faults.revokeTokens()
    case 'reset mid-body':
      return void faults.next({ on: 'connect', kind: 'cut', afterBytes: 150 })
    case 'reply lost':
      return void faults.next({ on: 'connect', kind: 'network-error', lost: 'reply' })
    case '503 answers':
      return void faults.next({ on: 'cometd', kind: 'http', status: 503, times: 2 })
    case 'slow drip':
      return void faults.next({ on: 'connect', kind: 'drip', bytes: 100, everyMs: 50 })
    case 'connections cut':
      return relay.cut()
    case 'server restart':
      await relay.down()
      faults.loseSessions()
      await new Promise((resolve) => setTimeout(resolve, downMs))
      return relay.up()
  }
}
