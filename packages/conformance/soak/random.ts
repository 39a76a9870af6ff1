import { virtualClock } from '@sfstream/mock-org'

/** A number in [0, 1). */
export type Random = () => number

/** The same numbers for the same seed. */
export function seeded(seed: number): Random {
  return virtualClock({ seed }).random
}
