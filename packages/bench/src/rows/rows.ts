import { bundles } from './bundles.ts'
import { heap } from './heap.ts'
import { latency } from './latency.ts'
import type { Row } from './row.ts'
import { delay, throughput } from './throughput.ts'

/** By the name that `--only` takes, in the order of the table. */
export const rows = { throughput, delay, latency, heap, bundle: bundles } as const satisfies Record<string, Row>

export type RowName = keyof typeof rows
export const rowNames = Object.keys(rows) as RowName[]
