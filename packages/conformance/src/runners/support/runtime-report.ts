import type { RuntimeName } from '../../suite/capabilities.ts'
import type { CaseResult } from '../../suite/harness.ts'

/** What came of one runtime. One that cannot be had is named, with why. */
export type RuntimeReport = { runtime: RuntimeName; version: string; results: CaseResult[] } | { runtime: RuntimeName; unavailable: string }
