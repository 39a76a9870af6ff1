import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`./packages/${path}`, import.meta.url))

/** Tests read the sources; what is packed is tested by `packages/conformance`. Longest names first: the first match wins. */
const alias = {
  '@sfstream/core/internal': source('core/src/internal.ts'),
  '@sfstream/core/explain': source('core/src/explain.ts'),
  '@sfstream/core': source('core/src/index.ts'),
  '@sfstream/auth/internal': source('auth/src/internal.ts'),
  '@sfstream/auth': source('auth/src/index.ts'),
  '@sfstream/rest': source('rest/src/index.ts'),
  '@sfstream/node': source('node/src/index.ts'),
  '@sfstream/browser/source': source('browser/src/source.ts'),
  '@sfstream/browser': source('browser/src/index.ts'),
  '@sfstream/relay/client': source('relay/src/client.ts'),
  '@sfstream/relay': source('relay/src/index.ts'),
  '@sfstream/cloudflare': source('cloudflare/src/index.ts'),
  '@sfstream/deno': source('deno/src/index.ts'),
  '@sfstream/mock-org/node': source('mock-org/src/node.ts'),
  '@sfstream/mock-org': source('mock-org/src/index.ts'),
}

export default defineConfig({
  resolve: { alias },
  test: {
    include: ['packages/*/test/**/*.test.ts'],
    // Finds what hangs; says nothing about speed.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // `pnpm coverage:pure`: what is pure is tested whole, by tables and properties alone.
    coverage: {
      provider: 'v8',
      include: ['packages/core/src/bayeux/{wire,machine}/**'],
      reporter: ['text'],
      thresholds: { 100: true },
    },
    reporters: process.env.SFSTREAM_TEST_JSON ? ['default', ['json', { outputFile: process.env.SFSTREAM_TEST_JSON }]] : ['default'],
  },
})
