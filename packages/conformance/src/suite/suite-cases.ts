import { lacking, type RuntimeName } from './capabilities.ts'
import type { Adapter, CaseGroup } from './harness.ts'
import type { OrgControl } from './org-control.ts'
import { registerConformance } from './register-conformance.ts'

export interface SuiteCase {
  group: CaseGroup
  name: string
  run: () => Promise<void>
  /** Why the runtime is excused from it. */
  reason: string | undefined
}

/** The cases of the suite, as they are for one runtime. */
export function suiteCases(runtime: RuntimeName, adapter: Adapter, org: OrgControl): SuiteCase[] {
  const lacks = lacking[runtime] ?? {}
  const cases: SuiteCase[] = []
  registerConformance({
    runtime,
    adapter,
    org,
    lacks,
    test: (group, name, run, needs = []) => cases.push({ group, name, run, reason: needs.map((need) => lacks[need]).find(Boolean) }),
  })
  return cases
}
