import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test as base, expect } from '@playwright/test'
import * as adapter from '@sfstream/browser'
import { startOrgHost } from '../../src/host/org-host.ts'
import { matrixRow } from '../../src/matrix/matrix.ts'
import { suiteOnPage } from '../../src/runners/support/suite-on-page.ts'
import type { CaseResult } from '../../src/suite/harness.ts'
import { orgControl } from '../../src/suite/org-control.ts'
import { suiteCases } from '../../src/suite/suite-cases.ts'

const docs = fileURLToPath(new URL('../../../../docs/conformance.md', import.meta.url))
/** They are named here and run in the page: their org is never asked from here. */
const cases = suiteCases('chromium', adapter, orgControl(''))

const test = base.extend<object, { runCases: (only: string) => Promise<CaseResult[]> }>({
  // Each case begins with a new org by itself, so one page serves for all.
  runCases: [
    async ({ browser }, use) => {
      const host = await startOrgHost()
      const page = await browser.newPage()
      await use(await suiteOnPage(host, 'chromium', page))
      await page.close()
      await host.close()
    },
    { scope: 'worker' },
  ],
})

test.describe('chromium', () => {
  for (const { group, name, reason } of cases)
    test(`${group}: ${name}`, async ({ runCases }) => {
      // Excused in capabilities.ts, which has the reason.
      test.skip(reason !== undefined, reason)
      const result = (await runCases(`${group} ${name}`)).find((each) => each.group === group && each.name === name)
      expect(result?.reason ?? result?.outcome).toBe('passed')
    })

  // What has failed says so itself, above.
  test('docs/conformance.md says the same; `pnpm conformance` writes it', () => {
    const results = cases.map(
      ({ reason, ...each }): CaseResult => ({ ...each, outcome: reason === undefined ? 'passed' : 'skipped', ms: 0 }),
    )
    expect(readFileSync(docs, 'utf8').split('\n')).toContain(matrixRow({ runtime: 'chromium', version: '', results }))
  })
})
