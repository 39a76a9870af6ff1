import { type ClientOptions, createClient as createCoreClient, StateError, type StreamingClient } from '@sfstream/core'
import { fileReplayStore } from './file-replay-store.ts'
import { httpTransport } from './http-transport.ts'
import { proxyFetch } from './proxy-fetch.ts'

/** Core's options, and a proxy. */
export type NodeClientOptions = ClientOptions & {
  /** The HTTP proxy of every request, logins too; false: none. `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` by default. */
  proxy?: string | URL | false
}

/**
 * A client with Node's defaults: positions are kept in `./.sfstream/replay`, proxies are taken from the environment.
 *
 * @throws StateError `bad_option`
 */
export function createClient(given: NodeClientOptions): StreamingClient {
  const { proxy, ...options } = given ?? {}
  if (proxy && options.platform?.fetch) {
    throw new StateError({
      code: 'bad_option',
      message: 'Both proxy and platform.fetch were given; only one of them can carry the requests.',
      remediation: 'Leave proxy out and let your own fetch use it, or leave platform.fetch out.',
    })
  }
  const fetch = options.platform?.fetch ?? proxyFetch(proxy === undefined ? {} : { proxy })
  // A fetch that somebody has chosen carries all requests; and Bun's own costs no more than its node:http.
  const ownTransport = !(fetch || 'bun' in process.versions || ('source' in options && options.source))
  return createCoreClient({
    ...options,
    ...(fetch && { platform: { ...options.platform, fetch } }),
    ...(ownTransport && !('transport' in options && options.transport) && { transport: httpTransport({ platform: options.platform }) }),
    replayStore: options.replayStore === undefined ? fileReplayStore() : options.replayStore,
  })
}
