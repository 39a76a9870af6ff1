import type { Platform } from '../../platform.ts'
import type { SourceStatus } from '../../source/source-status.ts'
import type { Input, MachineOptions, Memory, Step } from '../machine/machine.ts'
import type { Transport, TransportResponse } from '../transport/transport.ts'
import type { Decoded } from '../wire/decode.ts'
import type { Fault } from '../wire/fault.ts'
import type { Advice, BayeuxMessage, OutgoingMessage } from '../wire/message.ts'
import type { ConnectLoop } from './connect-loop.ts'
import type { ControlLane } from './control-lane.ts'
import type { Address, Conversation } from './conversation.ts'
import type { Findings } from './findings.ts'
import type { Registry } from './registry.ts'
import type { RetryPolicies } from './retry-policies.ts'

/** What came with a fault. */
export interface CameWith {
  advice?: Advice | undefined
  retryAfterMs?: number | undefined
}

/** What a reply says, its events aside: those have gone to their feeds. */
export interface Reply extends Findings, CameWith {
  advice: Advice | undefined
  decoded: Decoded
  /** False where events were left out: they may have crossed with a connect's. [PROTOCOL U9] */
  whole: boolean
}

/** What connect loop and control lane know of the session they work for. */
export interface Session {
  readonly platform: Platform
  readonly options: MachineOptions & { retry: RetryPolicies }
  readonly transport: Transport
  readonly conversation: Conversation
  readonly registry: Registry
  readonly lane: ControlLane
  readonly loop: ConnectLoop
  readonly advice: Memory['advice']
  /** Another one whenever the session ends or is interrupted: what was begun before is void. */
  readonly epoch: number
  address(): Address | undefined
  /** A message as it leaves, with its id. */
  outgoing(message: OutgoingMessage): BayeuxMessage
  /** Takes in all that a response brings. */
  take(response: TransportResponse, request: string): Reply
  dispatch(input: Input): void
  fault(step: Step | 'subscribe', fault: Fault, came?: CameWith): Promise<void>
  /** Lets out what the org has queued, and subscribes everything again; false where that is under way or impossible. */
  refresh(): boolean
  report(status: SourceStatus): void
}
