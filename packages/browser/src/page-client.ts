import type { CommonOptions, Source, StreamingClient } from '@sfstream/core'
import { sourceClient, webPlatform } from '@sfstream/core/internal'
import { browserPageEvents } from './page-events.ts'
import { pageSource } from './page-source.ts'
import { sessionStorageReplayStore } from './web-storage-replay-store.ts'

/** A client over a Source that follows its page, with positions kept for this tab unless the options say otherwise. */
export function pageClient(source: Source, options: CommonOptions): StreamingClient {
  const { replayStore = sessionStorageReplayStore() } = options
  return sourceClient(pageSource(source, browserPageEvents), { ...options, replayStore }, webPlatform(options.platform))
}
