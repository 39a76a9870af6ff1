import { type ClientOptions, createClient as createCoreClient, type StreamingClient } from '@sfstream/core'
import { sessionStorageReplayStore } from './web-storage-replay-store.ts'

/** A client with a page's defaults: positions are kept in `sessionStorage`, for this tab. */
export function createClient(options: ClientOptions): StreamingClient {
  return createCoreClient({
    ...options,
    replayStore: options.replayStore === undefined ? sessionStorageReplayStore() : options.replayStore,
  })
}
