import { type ClientOptions, createClient as createCoreClient, type StreamingClient } from '@sfstream/core'
import { denoKvReplayStore } from './deno-kv-replay-store.ts'

/**
 * A client with Deno's defaults: positions are kept in Deno KV.
 *
 * @throws StateError `bad_option` where this Deno has no KV and no `replayStore` is given
 */
export function createClient(options: ClientOptions): StreamingClient {
  return createCoreClient({ ...options, replayStore: options.replayStore === undefined ? denoKvReplayStore() : options.replayStore })
}
