import type { ScheduledFault } from './fault-schedule.ts'
import type { SequenceCounts } from './sequence-check.ts'

export interface Sample extends SequenceCounts {
  /** Since the first event was published. */
  atMs: number
  published: number
  handshakes: number
  logins: number
  heapBytes: number
  rssBytes: number
  handles: number
  sockets: number
}

/** Everything that a soak measured: what `soak.json` holds besides the verdict. */
export interface SoakRecord {
  minutes: number
  seed: number
  rate: number
  /** Ctrl-C came first. */
  interrupted: boolean
  samples: Sample[]
  /** When each fault struck. */
  faults: ScheduledFault[]
  /** How often `status()` said what. */
  statuses: Record<string, number>
  /** Errors that ended a loop. */
  failures: string[]
  /** The counts at the end of each channel, and its last position, stored and published. */
  channels: Record<string, SequenceCounts & { published: number; stored: string; last: string }>
  mostConnects: number
  /** After `stop()`: the client's slot in the org, what keeps the client's process alive, and how that process ended (0: by itself). */
  left: { slots: number; handles: number; exit: number | string }
}
