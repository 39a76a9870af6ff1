import type { ClientStatus, StreamEvent } from '@sfstream/node'

/** What the demo's consumer tells the process that started it. */
export type Report =
  /** Every channel is subscribed. */
  | { type: 'ready' }
  | { type: 'event'; event: ReportedEvent }
  | { type: 'status'; name: ClientStatus['type']; text: string; channel?: string; from?: string }

export type ReportedEvent = Pick<StreamEvent, 'channel' | 'kind' | 'payload'> & { replayId: string }
