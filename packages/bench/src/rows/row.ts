import type { ServerProcess } from '../harness/start-server.ts'
import type { Measurements } from '../stats/measurements.ts'

/** What a row has to work with. */
export interface RowContext {
  measured: Measurements
  server: ServerProcess
  /** Fewer repeats, shorter runs: for work, not for figures. */
  quick: boolean
  note(text: string): void
}

export type Row = (context: RowContext) => Promise<void>

/** Runs a thing that may fail for one subject without ending the run for all: the failure is noted, and no figure made up. */
export async function attempt({ note }: RowContext, what: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    note(`${what}: no figure. ${error instanceof Error ? error.message : String(error)}`)
  }
}
