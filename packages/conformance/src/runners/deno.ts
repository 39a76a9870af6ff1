import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { OrgHost } from '../host/org-host.ts'
import type { RuntimeReport } from './support/runtime-report.ts'
import { runScript } from './support/script.ts'

export async function runDeno(host: OrgHost, only?: string): Promise<RuntimeReport> {
  const command = fileURLToPath(new URL('../../node_modules/deno-bin/bin.cjs', import.meta.url))
  if (!existsSync(command)) return { runtime: 'deno', unavailable: "npm's deno for this platform is not installed" }
  const args = (url: string): string[] => [
    command,
    'run',
    '--unstable-kv',
    `--allow-net=${new URL(url).host}`,
    '--no-prompt',
    '--node-modules-dir=manual',
  ]
  return runScript(
    { runtime: 'deno', adapter: '@sfstream/deno', command: process.execPath, args, version: 'Deno.version.deno' },
    host.url,
    only,
  )
}
