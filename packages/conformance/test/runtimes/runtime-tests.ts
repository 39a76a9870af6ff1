import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { matrixRow } from '../../src/matrix/matrix.ts'
import { runRuntime } from '../../src/runners/runtimes.ts'
import type { RuntimeName } from '../../src/suite/capabilities.ts'

const page = fileURLToPath(new URL('../../../../docs/conformance.md', import.meta.url))

/** Runs the suite on one runtime, and makes each of its cases a test of its own. A runtime that cannot be had is a failure, by name. */
export async function runtimeTests(runtime: RuntimeName): Promise<void> {
  const report = await runRuntime(runtime)
  describe(runtime, () => {
    test('can be had', () => {
      if ('unavailable' in report) expect.fail(`${runtime} was not run: ${report.unavailable}`)
    })
    if ('unavailable' in report) return
    for (const { group, name, outcome, reason } of report.results) {
      // Excused in capabilities.ts, which has the reason.
      if (outcome === 'skipped') test.skip(`${group}: ${name} (${reason})`, () => {})
      else
        test(`${group}: ${name}`, () => {
          if (outcome === 'failed') expect.fail(reason)
        })
    }
    test('docs/conformance.md says the same; `pnpm conformance` writes it', () => {
      expect(readFileSync(page, 'utf8').split('\n')).toContain(matrixRow(report))
    })
  })
}
