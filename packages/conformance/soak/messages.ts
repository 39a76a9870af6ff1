import type { FaultKind } from './fault-schedule.ts'
import type { SequenceCounts } from './sequence-check.ts'

/** What the run asks of the org's process. */
export type OrgCommand =
  | { command: 'open' }
  /** So many events on each channel, as fast as they go. */
  | { command: 'backlog'; each: number }
  | { command: 'publish'; perSecond: number }
  | { command: 'fault'; kind: FaultKind; downMs: number }
  /** No more events and faults. */
  | { command: 'calm' }
  | { command: 'look' }
  | { command: 'close' }

export interface OrgView {
  /** Where the client finds the org. */
  url: string
  clientId: string
  clientSecret: string
  published: Record<string, number>
  lastReplayIds: Record<string, string>
  handshakes: number
  logins: number
  mostConnects: number
  /** Whether the newest session lives. Older ones may, after a token was revoked: only their 40 s end them. */
  slots: number
  /** Connections from the client, idle ones included. */
  sockets: number
}

/** What the run asks of the client's process. */
export type ClientCommand =
  | { command: 'start'; url: string; clientId: string; clientSecret: string; storePath: string }
  | { command: 'look' }
  | { command: 'stop' }

export interface ClientView {
  channels: Record<string, SequenceCounts>
  /** How often `status()` said what. */
  statuses: Record<string, number>
  /** Errors that ended a loop. */
  failures: string[]
  /** After a forced collection. */
  heapBytes: number
  rssBytes: number
  /** What keeps the process alive, less what did before the client began. */
  handles: number
  /** What is stored, by channel. */
  positions: Record<string, string>
}
