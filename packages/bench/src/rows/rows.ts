import { backlog } from './backlog.ts'
import { bundles } from './bundles.ts'
import { heap } from './heap.ts'
import { importTime } from './import-time.ts'
import { latency } from './latency.ts'
import { recovery } from './recovery.ts'
import { relay } from './relay.ts'
import type { Row } from './row.ts'
import { delay, throughput } from './throughput.ts'
import { workerd } from './workerd.ts'

/** By the name that `--only` takes, in the order of the table. */
export const rows = {
  throughput,
  delay,
  latency,
  heap,
  backlog,
  recovery,
  bundle: bundles,
  import: importTime,
  workerd,
  relay,
} as const satisfies Record<string, Row>

export type RowName = keyof typeof rows
export const rowNames = Object.keys(rows) as RowName[]
