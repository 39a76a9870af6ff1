import type { CommonOptions, Source, StreamingClient } from '@sfstream/core'
import { checkSourceOptions } from '@sfstream/core/internal'
import { pageClient } from './page-client.ts'

/** For pages that are fed by a relay or share a session: the client without what talks to an org, which they need not load. */
export type SourceClientOptions = CommonOptions & { source: Source }

/**
 * `createClient` of `@sfstream/browser`, for a Source alone.
 * @throws SfStreamError `bad_option`
 */
export function createClient(options: SourceClientOptions): StreamingClient {
  checkSourceOptions(options)
  return pageClient(options.source, options)
}
