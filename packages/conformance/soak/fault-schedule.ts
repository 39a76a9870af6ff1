import type { Random } from './random.ts'

export const faultKinds = [
  'sessions lost',
  'client kicked',
  'server goodbye',
  'tokens revoked',
  'reset mid-body',
  'reply lost',
  '503 answers',
  'slow drip',
  'connections cut',
  'server restart',
] as const

export type FaultKind = (typeof faultKinds)[number]

export interface ScheduledFault {
  atMs: number
  kind: FaultKind
}

/** Between two faults, on average. */
const usualGapMs = 10_000

/**
 * Faults for a run of this length: every kind once a round, in one order, so that the same fault never strikes twice within
 * a round. (Two tokens revoked before either could be used are an error of the org's, which ends a client: rule F4.)
 */
export function faultSchedule(lengthMs: number, random: Random): ScheduledFault[] {
  const order = shuffled(faultKinds, random)
  // A short run still meets every kind.
  const gapMs = Math.min(usualGapMs, lengthMs / (order.length + 1))
  const faults: ScheduledFault[] = []
  for (let atMs = gapMs; atMs < lengthMs; atMs += gapMs * (0.5 + random())) {
    faults.push({ atMs: Math.round(atMs), kind: order[faults.length % order.length]! })
  }
  return faults
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const rest = [...items]
  const result: T[] = []
  while (rest.length > 0) result.push(...rest.splice(Math.floor(random() * rest.length), 1))
  return result
}
