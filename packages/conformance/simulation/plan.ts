import type { Switches } from '@sfstream/mock-org'
import { type Action, actionFor } from './action.ts'
import { type Random, random } from './random.ts'

/** Everything that will befall a run, drawn from its seed before it starts: plain data, so that a failing one can be cut down. */
export interface Plan {
  seed: number
  settings: Settings
  steps: Step[]
}

/** `waitMs` passes, then `action` happens. */
export interface Step {
  waitMs: number
  action: Action
}

export interface Settings {
  /** Most runs are minutes long; some a day. */
  span: 'minutes' | 'day'
  channels: readonly ChannelSettings[]
  switches: Partial<Switches>
  /** Ids beyond 2^53. */
  largeIds: boolean
  commit: 'auto' | 'manual'
  gap: 'replay' | 'report'
  replayFallback: 'all' | 'new'
  /** One loop over all channels instead of one for each. */
  merged: boolean
  /** One way, at most. */
  latencyMs: number
  storeLatencyMs: number
  commitEveryMs: number
  /** Whether events that share a replay id are published. */
  groups: boolean
  /** A scenario of the org that strikes once the run is under way. */
  scenario: string | undefined
}

export interface ChannelSettings {
  channel: string
  maxBuffered: number
  consumer: ConsumerKind
  /** What its consumer does with an event takes up to this long. */
  workMs: number
}

export type ConsumerKind = { kind: 'loop' } | { kind: 'process'; concurrency: number; keys: number | undefined }

export const families = [
  '/event/Low_Ink__e',
  '/data/AccountChangeEvent',
  '/topic/InvoiceStatementUpdates',
  '/u/notifications/ExampleUserChannel',
]

const dayMs = 86_400_000
/** One run in so many lasts a day. */
const dayEvery = 50

export function plan(seed: number, scenario?: string): Plan {
  const from = random(seed, 1)
  const span = seed % dayEvery === 0 ? 'day' : 'minutes'
  const channels = shuffled(families, from).slice(0, from.pick([1, 2, 2, 3, 4]))
  // S57 splits groups over replies: their parts may be finished one by one (PROTOCOL D4), and a kill in between is then no fault of ours.
  const groups = scenario !== 'S57' && from.chance(0.3)
  const settings: Settings = {
    span,
    channels: channels.map((channel) => ({
      channel,
      maxBuffered: from.pick([2, 10, 30, 1_000]),
      consumer: from.chance(0.65)
        ? { kind: 'loop' }
        : { kind: 'process', concurrency: from.between(1, 6), keys: from.chance(0.5) ? from.between(1, 4) : undefined },
      workMs: from.pick([0, 0, 0, 20, 500]),
    })),
    switches: switches(from, groups),
    largeIds: from.chance(0.15),
    commit: from.chance(0.75) ? 'auto' : 'manual',
    gap: from.chance(0.85) ? 'replay' : 'report',
    replayFallback: from.chance(0.85) ? 'all' : 'new',
    merged: from.chance(0.15),
    latencyMs: from.pick([0, 5, 80, 400]),
    storeLatencyMs: from.pick([0, 0, 3, 200]),
    commitEveryMs: from.pick([0, 0, 0, 1_000]),
    groups,
    scenario,
  }
  const count = span === 'day' ? 40 : from.between(4, 14)
  // A few kinds of trouble a run, so that each meets itself as well as the others.
  const steps: Step[] = Array.from({ length: count }, () => ({
    waitMs: waitFor(span, from),
    action: actionFor(settings, from),
  }))
  if (scenario !== undefined) steps.splice(random(seed, 4).below(count), 0, { waitMs: 0, action: { type: 'scenario', id: scenario } })
  return { seed, settings, steps }
}

function waitFor(span: Settings['span'], from: Random): number {
  if (span === 'day') return from.below(dayMs / 20)
  return from.chance(0.4) ? from.below(300) : from.chance(0.8) ? from.below(20_000) : from.below(150_000)
}

function switches(from: Random, groups: boolean): Partial<Switches> {
  return {
    dataOrder: from.chance(0.5) ? 'before-reply' : 'after-reply',
    dataOn: from.chance(0.5) ? 'connect' : 'any-reply',
    bareUnknownClient: from.chance(0.3),
    reverseReplies: from.chance(0.3),
    numericIds: from.chance(0.3),
    revalidateTokenMs: from.chance(0.3) ? from.below(300_000) : 0,
    maxEventsPerReply: !groups && from.chance(0.3) ? from.between(1, 20) : Number.POSITIVE_INFINITY,
    replayDelayMs: from.chance(0.25) ? from.below(8_000) : 0,
    batchMs: from.chance(0.2) ? from.below(2_000) : 0,
    eventDateLagMs: from.chance(0.2) ? from.below(240_000) : 0,
    splitEqualIds: !groups && from.chance(0.2),
    replacedConnect: from.chance(0.5) ? 'successful' : 'cut',
    disconnectedConnect: from.pick(['successful', 'none-advice', 'unknown-client']),
    replayTextSpaces: from.chance(0.5) ? 1 : 2,
    affinityMs: from.chance(0.15) ? from.between(60_000, 600_000) : 10_800_000,
    clientIdInData: from.chance(0.1),
    unknownReplayId: from.chance(0.1) ? 'nearest' : 'refuse',
    unknownClientCode: from.chance(0.1) ? 402 : 403,
  }
}

function shuffled<T>(list: readonly T[], from: Random): T[] {
  const left = [...list]
  return list.map(() => left.splice(from.below(left.length), 1)[0] as T)
}
