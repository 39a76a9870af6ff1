import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RuntimeName } from '../../suite/capabilities.ts'
import type { CaseResult } from '../../suite/harness.ts'
import { bundleSuite } from './bundle.ts'
import { runProcess } from './run-process.ts'
import type { RuntimeReport } from './runtime-report.ts'

const folder = fileURLToPath(new URL('../../../.cache/runtimes', import.meta.url))
const mark = 'results: '

export interface ScriptRuntime {
  runtime: RuntimeName
  /** Imported by its name, so that the runtime itself finds what is built. */
  adapter: string
  command: string
  /** Before the script. */
  args?: (hostUrl: string) => readonly string[]
  /** An expression that is the version. */
  version: string
}

/**
 * Runs the suite as a script on a runtime with a command line. The process must end by itself: a timer or socket that a client left
 * behind would keep it.
 */
export async function runScript(
  { runtime, adapter, command, args = () => [], version }: ScriptRuntime,
  hostUrl: string,
  only = '',
): Promise<RuntimeReport> {
  const tail = `
    const results = await run(${JSON.stringify(hostUrl)}, ${JSON.stringify(only)})
    console.log(${JSON.stringify(mark)} + JSON.stringify({ version: ${version}, results }))`
  mkdirSync(folder, { recursive: true })
  const script = join(folder, `${runtime}-${process.pid}.mjs`)
  writeFileSync(script, await bundleSuite(runtime, adapter, { tail }))
  try {
    const out = await runProcess(command, [...args(hostUrl), script])
    const line = out.split('\n').find((each) => each.startsWith(mark))
    if (line === undefined) throw new Error(`${runtime} brought no results:\n${out.slice(-2_000)}`)
    return { runtime, ...(JSON.parse(line.slice(mark.length)) as { version: string; results: CaseResult[] }) }
  } finally {
    rmSync(script, { force: true })
  }
}
