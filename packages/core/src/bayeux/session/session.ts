import type { SfStreamError } from '../../errors.ts'
import type { Platform } from '../../platform.ts'
import type { SourceStatus } from '../../source/source-status.ts'
import type { MachineOptions, Step } from '../machine/machine.ts'
import type { Transport } from '../transport/transport.ts'
import type { Fault } from '../wire/fault.ts'
import type { Advice, BayeuxMessage } from '../wire/message.ts'
import type { Address, Answer, Conversation } from './conversation.ts'
import type { EndpointResolver } from './endpoint.ts'
import type { Findings } from './findings.ts'
import type { Registry } from './registry.ts'
import type { RetryPolicies } from './retry-policies.ts'
import type { Tokens } from './tokens.ts'

export interface SessionParts {
  platform: Platform
  machineOptions: MachineOptions
  policies: RetryPolicies
  transport: Transport
  conversation: Conversation
  tokens: Tokens
  endpoint: EndpointResolver
  registry: Registry
  report(status: SourceStatus): void
  observeMessage(message: BayeuxMessage): void
  /** The session can take control requests. */
  established(): void
  /** Control requests still on their way are void. */
  interrupted(error: SfStreamError): void
}

/** Runs the machine's effects: the one owner of the connect loop, of timers and of the session's signal. */
export interface Session {
  readonly live: boolean
  readonly running: boolean
  readonly failure: SfStreamError | undefined
  readonly clientId: string | undefined
  /** Aborts when the session ends or is interrupted. */
  readonly signal: AbortSignal
  address(): Address | undefined
  start(): Promise<void>
  org(): Promise<string>
  hold(): () => void
  stop(): Promise<void>
  /** Takes in what every reply may carry besides its own answer; says what failed in it, if anything. */
  absorb(answer: Answer & { ok: true }, request: string, own: (message: BayeuxMessage) => boolean): Findings & { whole: boolean }
  fault(step: Step | 'subscribe', fault: Fault, advice?: Advice, retryAfterMs?: number): Promise<void>
  /** Follows advice that came with anything but a connect. */
  advise(advice: Advice): void
  /** How many polls have left, and the numbers of the last one answered, and of the last answered without an event. */
  readonly polls: Readonly<{ sent: number; answered: number; empty: number }>
  /** Lets out what the org has queued, and subscribes everything again; false where that is under way or impossible. */
  refresh(): boolean
}
