import { child } from './child.ts'

/** Seeds past this one are not tried. */
export const lastSeed = 800
/** The longest seeds take a second. */
const silenceMs = 40_000

export interface FailedSeed {
  seed: number
  violation: string
}

interface Line {
  seed: number
  violation?: string
}

/**
 * Simulates the copy's seeds: `all` of them, or until the `first` that fails, but for those to `skip`. A seed that never ends
 * or takes the process with it has failed too. @throws Error when the simulation does not even load
 */
export async function failedSeeds(root: string, until: 'all' | 'first', skip: readonly number[] = []): Promise<FailedSeed[]> {
  const failed: FailedSeed[] = []
  for (let from = 1; from <= lastSeed; ) {
    const { lines, errors, code, silent } = await child(
      root,
      [
        ...['--import', './packages/conformance/sources.mjs', 'packages/conformance/mutations/seeds.ts'],
        ...[String(from), String(lastSeed), until, skip.join(',')],
      ],
      silenceMs,
    )
    if (lines[0] !== '"ready"') throw new Error(`the simulation does not load: ${errors}`)
    const told = lines.slice(1).map((line) => JSON.parse(line) as Line)
    for (const { seed, violation } of told) if (violation !== undefined) failed.push({ seed, violation })
    const last = told.at(-1)
    if (code === 0 || !last) return failed
    const lastError = /^\w*Error.*$/m.exec(errors)?.[0]
    failed.push({ seed: last.seed, violation: silent ? `no end within ${silenceMs} ms` : `the process died: ${lastError ?? code}` })
    if (until === 'first') return failed
    from = last.seed + 1
  }
  return failed
}
