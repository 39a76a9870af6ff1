import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bundleSize } from '../src/bundles/bundle-size.ts'
import { bundleLimits } from '../src/bundles/limits.ts'

// Of what is built: `pnpm build` first. Raise no limit without a reason that is worth it to every page.
test.each(bundleLimits)('$name: at most $limitKb KB, min+gzip', async ({ source, limitKb }) => {
  const { gzipped } = await bundleSize(source)
  expect(gzipped / 1_000).toBeLessThanOrEqual(limitKb)
  // A bundle of nothing would pass, too.
  expect(gzipped).toBeGreaterThan(1_000)
})

test.each(bundleLimits)('$name: the README of @sfstream/browser says $limitKb KB', ({ limitKb }) => {
  const readme = readFileSync(new URL('../../browser/README.md', import.meta.url), 'utf8')
  expect(readme).toMatch(new RegExp(`\\| ${String(limitKb).replace('.', '\\.')} KB +\\|`))
})
