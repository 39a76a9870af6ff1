import { bayeuxSource } from './bayeux/session/bayeux-source.ts'
import { cookieJar } from './bayeux/transport/cookie-jar.ts'
import { fetchTransport } from './bayeux/transport/fetch-transport.ts'
import { checkOptions } from './check-options.ts'
import type { BayeuxOptions, ClientOptions } from './options.ts'
import { webPlatform } from './platform.ts'
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
  if ('source' in options && options.source) return sourceClient(options.source, options, platform)
  const bayeux = options as BayeuxOptions
  const transport = bayeux.transport ?? fetchTransport(platform, { jar: cookieJar(platform.now) })
  return sourceClient(bayeuxSource({ ...bayeux, transport }, platform), options, platform)
}
