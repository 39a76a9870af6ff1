import type { MockOrg } from '@sfstream/mock-org'
import type { Conditions } from './conditions.ts'
import type { Report } from './report.ts'
import { sampleChannels } from './sample-events.ts'

/** What the consumers have told so far. */
export interface Witness {
  /** Events handled, per channel, by all processes together. */
  readonly handled: ReadonlyMap<string, number>
  /** How often each status was reported. */
  readonly statuses: ReadonlyMap<Extract<Report, { type: 'status' }>['name'], number>
}

export interface Fault {
  title: string
  strike(org: MockOrg): void
  /** Reported, at least this often, before the fault counts as recovered from. */
  expected: readonly { status: Extract<Report, { type: 'status' }>['name']; times: number }[]
}

/** What goes wrong while the consumer lives. Its death is the caller's business. */
export const faults: readonly Fault[] = [
  {
    title: 'the org loses the session (403::Unknown client)',
    strike: (org) => org.faults.loseSessions(),
    expected: [
      { status: 'rehandshake', times: 1 },
      { status: 'resubscribed', times: sampleChannels.length },
    ],
  },
  {
    title: 'the token is revoked (401)',
    strike: (org) => org.faults.revokeTokens(),
    expected: [
      { status: 'reauthenticated', times: 1 },
      { status: 'resubscribed', times: sampleChannels.length },
    ],
  },
  {
    title: 'the connection is cut in the middle of an answer',
    strike: (org) => void org.faults.next({ on: 'connect', kind: 'cut', afterBytes: 60 }),
    expected: [],
  },
]

/** Resolves when the consumer has come through: it said so, and events flow on every channel again. */
export async function recovery(fault: Fault, org: MockOrg, witness: Witness, { until }: Conditions): Promise<void> {
  const before = new Map(fault.expected.map(({ status }) => [status, witness.statuses.get(status) ?? 0]))
  fault.strike(org)
  await until(`the blow: ${fault.title}`, () => org.faults.pending === 0)
  for (const { status, times } of fault.expected) {
    await until(`'${status}' after: ${fault.title}`, () => (witness.statuses.get(status) ?? 0) >= (before.get(status) ?? 0) + times)
  }
  await flow(3, `events after: ${fault.title}`, witness, { until })
}

/** Resolves when `count` more events have been handled on every channel. */
export function flow(count: number, what: string, witness: Witness, { until }: Pick<Conditions, 'until'>): Promise<void> {
  const before = new Map(witness.handled)
  return until(what, () => sampleChannels.every((channel) => (witness.handled.get(channel) ?? 0) >= (before.get(channel) ?? 0) + count))
}
