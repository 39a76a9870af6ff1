import type { Effect, Input, Machine, MachineOptions, Phase } from '../../src/bayeux/machine/machine.ts'
import { initialMachine, transition } from '../../src/bayeux/machine/transition.ts'
import type { FaultKind } from '../../src/bayeux/wire/fault.ts'
import { type Advice, ProtocolError, type RetryPolicy } from '../../src/index.ts'

export const policy: RetryPolicy = {
  baseMs: 1_000,
  factor: 2,
  capMs: 60_000,
  maxAttempts: Number.POSITIVE_INFINITY,
  maxElapsedMs: Number.POSITIVE_INFINITY,
  jitter: 'none',
}
export const options = (more: Partial<MachineOptions> = {}): MachineOptions => ({
  retry: { connect: policy, handshake: policy, auth: policy },
  limits: 'wait',
  reconnect: true,
  followAdvice: true,
  ...more,
})
export const error = new ProtocolError({ code: 'server_stopped', message: 'It said no.', remediation: 'Wait.' })
export const badReply = new ProtocolError({ code: 'bad_reply', message: 'HTML.', remediation: 'Wait.' })
export const fault = (
  kind: FaultKind,
  step: Extract<Input, { type: 'fault' }>['step'],
  more: Partial<Extract<Input, { type: 'fault' }>> = {},
): Input => ({
  type: 'fault',
  step,
  fault: { kind, error },
  ...more,
})
export const start: Input = { type: 'start' }
export const authenticated: Input = { type: 'authenticated', replaced: false, instanceUrl: 'https://acme.my.salesforce.com' }
export const handshaken: Input = { type: 'handshaken', advice: undefined }
export const connected = (advice?: Advice, hadEvents = false): Input => ({ type: 'connected', advice, hadEvents })
export const timer: Input = { type: 'timer' }
export const refresh: Input = { type: 'refresh' }

interface Step {
  machine: Machine
  effects: Effect[]
}

/** Runs inputs one after another, at one instant. */
export function run(
  inputs: readonly Input[],
  more: Partial<MachineOptions> = {},
  from: Machine = initialMachine(),
  now = 0,
  random = 1,
): Step {
  return inputs.reduce<Step>(({ machine }, input) => transition(machine, input, now, random, options(more)), { machine: from, effects: [] })
}
export const pathTo: Record<Phase['tag'], readonly Input[]> = {
  idle: [],
  authenticating: [start],
  handshaking: [start, authenticated],
  connecting: [start, authenticated, handshaken],
  connected: [start, authenticated, handshaken, connected()],
  waiting: [start, authenticated, fault('transient', 'handshake')],
  stopped: [start, { type: 'stop' }],
  failed: [start, fault('auth', 'auth')],
}
export const phases = Object.keys(pathTo) as Phase['tag'][]
export const at = (tag: Phase['tag']): Machine => run(pathTo[tag]).machine
/** The phase in which a step is under way. */
export const where = (step: Extract<Input, { type: 'fault' }>['step']): Phase['tag'] =>
  ({ auth: 'authenticating', handshake: 'handshaking', connect: 'connected', subscribe: 'connected' })[step] as Phase['tag']
/** What is to be done, in short. */
export const short = (effects: readonly Effect[]): string[] =>
  effects.map((effect) => {
    switch (effect.type) {
      case 'report':
        return effect.status.type === 'state' ? effect.status.state : effect.status.type
      case 'connect':
        return `connect${{ first: ' first', resume: ' first resuming', next: '' }[effect.turn]}${effect.afterMs ? ` after ${effect.afterMs}` : ''}`
      case 'wait':
        return `wait ${effect.delayMs}`
      case 'handshake':
        return `handshake${effect.clearCookies ? ' clean' : ''}`
      case 'authenticate':
        return `authenticate${effect.refusal ? ' anew' : ''}`
      default:
        return effect.type
    }
  })
export const lost = ['endSession', 'rehandshake', 'handshaking', 'handshake']
export const anew = ['endSession', 'authenticating', 'authenticate anew']
export const failed = ['fail', 'endSession', 'failed']
export const again = (...first: string[]): string[] => [...first, 'retry', 'waiting', 'wait 1000']
