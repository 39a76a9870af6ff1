import { type ClientOptions, createClient as createCoreClient, type StreamingClient } from '@sfstream/core'

/**
 * A client in a Worker. It has no storage but what is bound to it, so positions are kept in memory, for this client, unless a
 * `replayStore` is given: `durableObjectReplayStore` or `kvReplayStore`.
 */
export function createClient(options: ClientOptions): StreamingClient {
  return createCoreClient(options)
}
