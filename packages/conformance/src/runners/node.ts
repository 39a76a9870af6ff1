import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { OrgHost } from '../host/org-host.ts'
import type { RuntimeReport } from './support/runtime-report.ts'
import { runScript } from './support/script.ts'

/** Node 24 comes with the workspace: the tools need it too. */
const binaries = {
  'node-20': '../../node_modules/node20/bin/node',
  'node-22': '../../node_modules/node22/bin/node',
  'node-24': '../../../../node_modules/node24/bin/node',
  'node-26': '../../node_modules/node26/bin/node',
} as const

export async function runNode(runtime: keyof typeof binaries, host: OrgHost, only?: string): Promise<RuntimeReport> {
  const command = fileURLToPath(new URL(binaries[runtime], import.meta.url))
  if (!existsSync(command)) return { runtime, unavailable: `npm's ${runtime} for this platform is not installed` }
  return runScript({ runtime, adapter: '@sfstream/node', command, version: 'process.versions.node' }, host.url, only)
}
