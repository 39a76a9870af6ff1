import { type OrgHost, startOrgHost } from '../host/org-host.ts'
import type { RuntimeName } from '../suite/capabilities.ts'
import { runBun } from './bun.ts'
import { runChromium } from './chromium.ts'
import { runDeno } from './deno.ts'
import { runEdgeRuntime } from './edge-runtime.ts'
import { runFirefox } from './firefox.ts'
import { runNode } from './node.ts'
import type { RuntimeReport } from './support/runtime-report.ts'
import { runWorkerd } from './workerd.ts'

/** How each runtime is run. */
const runners: { readonly [Name in RuntimeName]: (host: OrgHost, only?: string) => Promise<RuntimeReport> } = {
  'node-20': (host, only) => runNode('node-20', host, only),
  'node-22': (host, only) => runNode('node-22', host, only),
  'node-24': (host, only) => runNode('node-24', host, only),
  'node-26': (host, only) => runNode('node-26', host, only),
  deno: runDeno,
  bun: runBun,
  workerd: (host, only) => runWorkerd('workerd', host, only),
  'workerd-nodejs-compat': (host, only) => runWorkerd('workerd-nodejs-compat', host, only),
  'edge-runtime': runEdgeRuntime,
  chromium: runChromium,
  firefox: runFirefox,
}

/** Runs the whole suite on one runtime, against an org host of its own. */
export async function runRuntime(runtime: RuntimeName, only?: string): Promise<RuntimeReport> {
  const host = await startOrgHost()
  try {
    return await runners[runtime](host, only)
  } finally {
    await host.close()
  }
}
