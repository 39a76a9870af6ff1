import type { OrgHost } from '../../host/org-host.ts'
import type { RuntimeName } from '../../suite/capabilities.ts'
import type { CaseResult } from '../../suite/harness.ts'
import { bundleSuite } from './bundle.ts'

/** What the drivers of both browsers offer. */
interface DrivenPage {
  goto(url: string): Promise<unknown>
  evaluate(expression: string): Promise<unknown>
}

/** Loads the suite into a page, from the host; the returned function runs those of its cases whose group and name contain a text. */
export async function suiteOnPage(host: OrgHost, runtime: RuntimeName, page: DrivenPage): Promise<(only: string) => Promise<CaseResult[]>> {
  const tail = 'globalThis.conformance = (only) => run(location.origin, only)'
  host.serve('/suite/suite.js', 'text/javascript', await bundleSuite(runtime, '@sfstream/browser', { format: 'iife', tail }))
  host.serve('/suite/', 'text/html', '<!doctype html><title>Conformance</title><script src="suite.js"></script>')
  await page.goto(`${host.url}/suite/`)
  return async (only) => (await page.evaluate(`conformance(${JSON.stringify(only)})`)) as CaseResult[]
}
