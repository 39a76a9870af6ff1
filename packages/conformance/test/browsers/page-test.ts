import { test as base } from '@playwright/test'
import type { MockOrgOptions } from '@sfstream/mock-org'
import { type OrgHost, startOrgHost } from '../../src/host/org-host.ts'
import { servePage } from './serve-page.ts'

export interface PageFixtures {
  /** The script of the host's page: a module, bundled with what is built. */
  script: string
  /** Plain script that runs before it. */
  before: string
  orgOptions: MockOrgOptions
  /** An org of the test's own, with the page at `/page/` and an empty one at `/other/`. */
  host: OrgHost
}

/** A test of a page with a client in it, and of the org that it listens to. */
export const pageTest = base.extend<PageFixtures>({
  script: ['', { option: true }],
  before: ['', { option: true }],
  orgOptions: [{}, { option: true }],
  host: async ({ script, before, orgOptions }, use) => {
    const host = await startOrgHost(orgOptions)
    await servePage(host, script, before)
    await use(host)
    await host.close()
  },
})
