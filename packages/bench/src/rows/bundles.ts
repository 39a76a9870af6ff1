import { bundleSize } from '../bundles/bundle-size.ts'
import { entries, ownSourcePage, page, peerBundles, relayPage } from '../bundles/compositions.ts'
import { attempt, type RowContext } from './row.ts'

/** KB of 1,000 bytes, as DESIGN counts. */
export async function bundles(context: RowContext): Promise<void> {
  for (const { name, source } of [page, relayPage, ownSourcePage, ...entries, ...peerBundles]) {
    await attempt(context, `bundle of ${name}`, async () => {
      const { minified, gzipped } = await bundleSize(source)
      const key = { row: 'bundle', metric: 'size for browsers', subject: name }
      context.measured.add({ ...key, setting: 'minified' }, 'KB', minified / 1_000)
      context.measured.add({ ...key, setting: 'min+gzip' }, 'KB', gzipped / 1_000)
    })
  }
}
