import { virtualClock } from '@sfstream/mock-org'

/** A seeded generator: each part of a run draws from one of its own, so that leaving a step out does not change the others. */
export interface Random {
  /** In [0, 1). */
  next(): number
  chance(probability: number): boolean
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number
  between(least: number, most: number): number
  pick<T>(list: readonly T[]): T
}

export function random(seed: number, stream = 0): Random {
  // Neighbouring seeds and streams begin far apart.
  const { random: next } = virtualClock({ seed: Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35) })
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    chance: (probability) => next() < probability,
    below,
    between: (least, most) => least + below(most - least + 1),
    pick: (list) => list[below(list.length)] as (typeof list)[number],
  }
}
