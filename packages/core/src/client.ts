import { bayeuxSource } from './bayeux/session/bayeux-source.ts'
import { cookieJar } from './bayeux/transport/cookie-jar.ts'
import { fetchTransport } from './bayeux/transport/fetch-transport.ts'
import { flushedFetch } from './bayeux/transport/flushed-fetch.ts'
import type { Transport } from './bayeux/transport/transport.ts'
import { checkOptions } from './check-options.ts'
import { memoryReplayStore } from './delivery/memory-replay-store.ts'
import type { BayeuxOptions, ClientOptions } from './options.ts'
import { type Platform, webPlatform } from './platform.ts'
import type { Source } from './source/source.ts'
import { sourceClient } from './source-client.ts'
import type { StreamingClient } from './streaming-client.ts'

/**
 * A client. Nothing is sent before `start()` or the first subscription.
 *
 * @throws SfStreamError `bad_option`, HandshakeError `bad_api_version`, AuthenticationError `missing_credential`,
 * `bad_instance_url` or `jwt_access_token`, for options that cannot work
 */
export function createClient(options: ClientOptions): StreamingClient {
  checkOptions(options)
  const platform = webPlatform(options.platform)
  const { replayStore = memoryReplayStore() } = options
  return sourceClient(sourceOf(options, platform), { ...options, replayStore }, platform)
}

function sourceOf(options: ClientOptions, platform: Platform): Source {
  if ('source' in options && options.source) return options.source
  const bayeux = options as BayeuxOptions
  return bayeuxSource({ ...bayeux, transport: bayeux.transport ?? defaultTransport(platform) }, platform)
}

/** Over `fetch`, as a page has it; the wait for it to leave is added here, where no page loads it. */
function defaultTransport(platform: Platform): Transport {
  const transport = fetchTransport(platform, { jar: cookieJar(platform.now) })
  const flushed = flushedFetch()
  return flushed ? { ...transport, flushed } : transport
}
