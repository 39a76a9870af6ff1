import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { EdgeRuntime } from 'edge-runtime'
import type { OrgHost } from '../host/org-host.ts'
import type { CaseResult } from '../suite/harness.ts'
import { bundleSuite } from './support/bundle.ts'
import type { RuntimeReport } from './support/runtime-report.ts'

/** It has no adapter of its own: what is tested is core with auth, as the Edge Runtime of a host would bundle them. */
export async function runEdgeRuntime(host: OrgHost, only?: string): Promise<RuntimeReport> {
  const tail = 'globalThis.conformance = run'
  const code = await bundleSuite('edge-runtime', './src/runners/support/core-and-auth.ts', { format: 'iife', tail })
  const { version } = JSON.parse(readFileSync(createRequire(import.meta.url).resolve('edge-runtime/package.json'), 'utf8')) as {
    version: string
  }
  const runtime = new EdgeRuntime()
  runtime.evaluate(code)
  const results = (await runtime.evaluate(`conformance(${JSON.stringify(host.url)}, ${JSON.stringify(only ?? '')})`)) as CaseResult[]
  return { runtime: 'edge-runtime', version, results: JSON.parse(JSON.stringify(results)) as CaseResult[] }
}
