import type { OrgHost } from '../../host/org-host.ts'
import type { RuntimeName } from '../../suite/capabilities.ts'
import { bundleSuite } from './bundle.ts'

/** Puts the suite on a page of the host, whose global `conformance(only)` resolves with the results; its URL. */
export async function serveSuite(host: OrgHost, runtime: RuntimeName): Promise<string> {
  const tail = 'globalThis.conformance = (only) => run(location.origin, only)'
  host.serve('/suite/suite.js', 'text/javascript', await bundleSuite(runtime, '@sfstream/browser', { format: 'iife', tail }))
  host.serve('/suite/', 'text/html', '<!doctype html><title>Conformance</title><script src="suite.js"></script>')
  return `${host.url}/suite/`
}
