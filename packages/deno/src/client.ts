import { type ClientOptions, createClient as createCoreClient, type StreamingClient } from '@sfstream/core'
import { denoKvReplayStore } from './deno-kv-replay-store.ts'
import { unrepeatedFetch } from './unrepeated-fetch.ts'

/**
 * A client with Deno's defaults: positions are kept in Deno KV, and every request has a connection of its own, because Deno sends
 * requests on kept ones twice where it sees fit. `platform.fetch` may say otherwise.
 *
 * @throws StateError `bad_option` where this Deno has no KV and no `replayStore` is given
 */
export function createClient(options: ClientOptions): StreamingClient {
  const fetch = options.platform?.fetch ?? unrepeatedFetch()
  return createCoreClient({
    ...options,
    ...(fetch && { platform: { ...options.platform, fetch } }),
    replayStore: options.replayStore === undefined ? denoKvReplayStore() : options.replayStore,
  })
}
