import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

export interface BundleSize {
  minified: number
  gzipped: number
}

const here = fileURLToPath(new URL('.', import.meta.url))

/** What is built, bundled for browsers with all its dependencies, minified and compressed; in bytes. */
export async function bundleSize(source: string): Promise<BundleSize> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: here, loader: 'js' },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    // Modules of Node stay out: a page has none, and their names are all that an import of them costs.
    external: ['node:*'],
    tsconfigRaw: '{}',
    logLevel: 'silent',
  })
  const { contents } = outputFiles[0]!
  return { minified: contents.byteLength, gzipped: gzipSync(contents, { level: 9 }).byteLength }
}
