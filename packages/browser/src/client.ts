import { type ClientOptions, createClient as createCoreClient, type StreamingClient } from '@sfstream/core'

/** A client with this runtime's defaults. */
export function createClient(options: ClientOptions): StreamingClient {
  return createCoreClient(options)
}
