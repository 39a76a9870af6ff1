import { adapterCases } from './groups/adapter.ts'
import { backpressureCases } from './groups/backpressure.ts'
import { deliveryCases } from './groups/delivery.ts'
import { drainCases } from './groups/drain.ts'
import { errorCases } from './groups/errors.ts'
import { handlerCases } from './groups/handlers.ts'
import { iteratorCases } from './groups/iterator.ts'
import { lifeCycleCases } from './groups/life-cycle.ts'
import { loginCases } from './groups/logins.ts'
import { recoveryCases } from './groups/recovery.ts'
import { relayCases } from './groups/relay.ts'
import { replayCases } from './groups/replay.ts'
import { storeCases } from './groups/stores.ts'
import { tapCases } from './groups/taps.ts'
import type { Harness } from './harness.ts'

/**
 * The promises of the public API, as one suite for every runtime: real HTTP, the real clock, what a user imports.
 * What needs virtual time, or thousands of runs, is tested elsewhere.
 */
export function registerConformance(harness: Harness): void {
  iteratorCases(harness)
  deliveryCases(harness)
  replayCases(harness)
  recoveryCases(harness)
  backpressureCases(harness)
  drainCases(harness)
  tapCases(harness)
  errorCases(harness)
  loginCases(harness)
  lifeCycleCases(harness)
  handlerCases(harness)
  storeCases(harness)
  relayCases(harness)
  adapterCases(harness)
}
