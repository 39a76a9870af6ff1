import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { OrgHost } from '../host/org-host.ts'
import type { RuntimeReport } from './support/runtime-report.ts'
import { runScript } from './support/script.ts'

export async function runBun(host: OrgHost, only?: string): Promise<RuntimeReport> {
  const command = fileURLToPath(new URL('../../node_modules/bun-bin/bin/bun.exe', import.meta.url))
  if (!existsSync(command)) return { runtime: 'bun', unavailable: "npm's bun for this platform is not installed" }
  return runScript({ runtime: 'bun', adapter: '@sfstream/node', command, args: () => ['run'], version: 'Bun.version' }, host.url, only)
}
