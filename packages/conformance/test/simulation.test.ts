import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scenarioIds } from '@sfstream/mock-org'
import { describe, expect, test } from 'vitest'
import { plan } from '../simulation/plan.ts'
import { regressions } from '../simulation/regressions.ts'
import { simulate } from '../simulation/simulate.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The command as `pnpm simulate` runs it. */
function command(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const options = { cwd: root, maxBuffer: 1 << 26 }
    const node = ['--import', './packages/conformance/sources.mjs', 'packages/conformance/simulation/cli.ts']
    execFile(process.execPath, [...node, ...args], options, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err })
    })
  })
}

describe('simulation', () => {
  test('2,000 seeds keep every promise', { timeout: 300_000 }, async () => {
    const { code, out, err } = await command('--seeds', '2000')
    expect(err).toBe('')
    expect(out).toContain('2000 passed, 0 failed')
    expect(code).toBe(0)
  })

  test.each(regressions)('seed $seed: $defect', async ({ seed }) => {
    expect((await simulate(plan(seed))).violations).toEqual([])
  })

  test('a seed replays exactly', async () => {
    for (const seed of [3, 8, 21, 77]) {
      const first = await simulate(plan(seed), { trace: true })
      const second = await simulate(plan(seed), { trace: true })
      expect(second.lines).toEqual(first.lines)
      expect(second.digest).toBe(first.digest)
      expect(first.lines.length).toBeGreaterThan(10)
      // Looking on changes nothing.
      expect((await simulate(plan(seed))).digest).toBe(first.digest)
    }
  })

  test('every scenario of the org strikes, and every promise is kept', async () => {
    const failed: string[] = []
    for (const scenario of scenarioIds) {
      for (let seed = 1; seed <= 4; seed++) {
        const { violations, lines } = await simulate(plan(seed, scenario), { trace: true })
        if (!lines.some((line) => line.includes(`"id":"${scenario}"`))) failed.push(`${scenario} never struck`)
        for (const violation of violations) failed.push(`${scenario}, seed ${seed}: ${violation}`)
      }
    }
    expect(failed).toEqual([])
  })

  test('seeds differ', async () => {
    const digests = await Promise.all([1, 2, 3, 4, 5].map(async (seed) => (await simulate(plan(seed))).digest))
    expect(new Set(digests).size).toBe(5)
  })

  test('shards part the seeds, and progress is resumed', { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sfstream-simulate-'))
    try {
      const file = join(folder, 'progress.json')
      const first = await command('--seeds', '40', '--shard', '2/4', '--resume', file)
      expect(first.out).toContain('seeds 11 to 20: 10 passed, 0 failed')
      const kept = readFileSync(file, 'utf8')
      const again = await command('--seeds', '40', '--shard', '2/4', '--resume', file)
      expect(again.out).toContain('seeds 11 to 20: 10 passed, 0 failed')
      expect(readFileSync(file, 'utf8')).toBe(kept)
      const other = await command('--seeds', '80', '--resume', file)
      expect(other).toMatchObject({ code: 2 })
      expect(other.err).toContain('holds the progress of seeds 11 to 20, not of seeds 1 to 80')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test.each([
    [['--seeds', 'many'], "--seeds is 'many'"],
    [['--seed', '0'], "--seed is '0'"],
    [['--shard', '5/4'], "--shard is '5/4'"],
    [['--scenario', 'S99'], 'there is no scenario S99'],
    [['--sneeds', '4'], "Unknown option '--sneeds'"],
  ])('%j is told apart and explained', async (args, message) => {
    const { code, err } = await command(...args)
    expect(code).toBe(2)
    expect(err).toContain(message)
    expect(err).toContain('pnpm simulate --seeds N')
  })
})
