import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { RuntimeName } from '../../suite/capabilities.ts'

const conformance = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * The suite and one adapter as one module text that exports `run(hostUrl, only)`. The adapter is what is built: the bundler goes by
 * the `exports` of each package, as a user's does.
 */
export async function bundleSuite(
  runtime: RuntimeName,
  adapter: string,
  { format = 'esm', tail = '' }: { format?: 'esm' | 'iife'; tail?: string } = {},
): Promise<string> {
  const contents = `
    import * as adapter from ${JSON.stringify(adapter)}
    import { runConformance } from './src/suite/run-conformance.ts'
    export const run = (hostUrl, only) => runConformance({ runtime: ${JSON.stringify(runtime)}, adapter, hostUrl, only })
    ${tail}`
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: conformance, loader: 'ts' },
    bundle: true,
    write: false,
    format,
    target: 'es2022',
    conditions: ['browser'],
    tsconfigRaw: '{}',
    // Node's own modules are never part of what is bundled for another runtime.
    platform: runtime.startsWith('node') || runtime === 'bun' ? 'node' : 'neutral',
    mainFields: ['module', 'main'],
    external: runtime.startsWith('node') || runtime === 'bun' || runtime === 'deno' ? ['@sfstream/*'] : [],
    absWorkingDir: join(conformance),
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}
