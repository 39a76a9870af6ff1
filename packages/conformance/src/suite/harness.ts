import type { Capability, RuntimeName } from './capabilities.ts'
import type { OrgControl } from './org-control.ts'

/** What every adapter exports. */
export type Adapter = typeof import('@sfstream/core') & typeof import('@sfstream/auth')

export const caseGroups = [
  'iterator',
  'delivery',
  'replay',
  'recovery',
  'backpressure',
  'drain',
  'taps',
  'errors',
  'logins',
  'life-cycle',
  'handlers',
  'stores',
  'relay',
  'adapter',
] as const
export type CaseGroup = (typeof caseGroups)[number]

/** What the suite is given on a runtime. */
export interface Harness {
  readonly runtime: RuntimeName
  /** What a user of this runtime imports, as built. */
  readonly adapter: Adapter
  readonly org: OrgControl
  readonly lacks: { readonly [Needed in Capability]?: string }
  /** Registers a case. Each begins with a new org. */
  test(group: CaseGroup, name: string, run: () => Promise<void>, needs?: readonly Capability[]): void
}

export interface CaseResult {
  group: CaseGroup
  name: string
  outcome: 'passed' | 'failed' | 'skipped'
  reason?: string
  ms: number
}
