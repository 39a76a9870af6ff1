import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

/**
 * One build for every package: run in the package's folder, it reads the entry points from that package's own `exports` and `bin`,
 * so an entry is named once.
 */
interface Manifest {
  exports: Record<string, { import?: { default: string } } | string>
  bin?: Record<string, string>
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
const targets = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [] : [target.import?.default ?? '']))
const entries = [...targets, ...Object.values(manifest.bin ?? {})]
  .filter((path) => path.startsWith('./dist/'))
  .map((path) => path.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))
const commonJs = JSON.stringify(manifest.exports).includes('"require"')

export default defineConfig({
  entry: entries,
  format: commonJs ? ['esm', 'cjs'] : ['esm'],
  // Declarations are made against the built dependencies, not their sources.
  dts: { compilerOptions: { paths: {} } },
  target: 'es2022',
  platform: 'neutral',
  external: [/^node:/],
  // Deno and Workers know Node's modules by their full names alone.
  removeNodeProtocol: false,
  sourcemap: true,
  clean: true,
  esbuildOptions(options) {
    // Writes constants where they are used. Bundlers of pages cannot: what has been bundled once has `var` in place of `const`.
    options.minifySyntax = true
  },
})
