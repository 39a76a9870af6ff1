import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const conformance = fileURLToPath(new URL('../..', import.meta.url))

/** A page's script with the built packages in it, as a user's bundler would make it. */
export async function bundlePage(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: conformance, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    // The workspace's own settings would lead to the sources.
    tsconfigRaw: '{}',
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}
