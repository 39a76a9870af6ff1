import type fc from 'fast-check'
import type { Hostility } from './hostile-rig.ts'

/** How much of its runs a test file makes; `over-http.ts` lowers it, because the same properties run without it too. */
export const share = { of: 1 }

/** `SFSTREAM_FUZZ_RUNS=20000` looks longer; `SFSTREAM_FUZZ_SEED=…` replays what failed, by the seed that fast-check names. */
export function runs(numRuns: number): { numRuns: number; seed?: number } {
  const { SFSTREAM_FUZZ_RUNS: wanted, SFSTREAM_FUZZ_SEED: seed } = process.env
  return {
    numRuns: wanted ? Number(wanted) : Math.ceil(numRuns * share.of),
    ...(seed ? { seed: Number(seed) } : {}),
  } satisfies fc.Parameters<unknown>
}

/** Answers one after another. */
export function inOrder<T>(list: readonly T[], answer: (each: T, ...rest: Parameters<Hostility>) => ReturnType<Hostility>): Hostility {
  let next = 0
  return (...rest) => answer(list[next++] as T, ...rest)
}
