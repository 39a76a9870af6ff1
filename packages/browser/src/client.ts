import { type ClientOptions, createClient as createCoreClient, type StreamingClient } from '@sfstream/core'
import { bayeuxSource, checkOptions, fetchTransport, webPlatform } from '@sfstream/core/internal'
import { browserPageEvents } from './page-events.ts'
import { pageSource } from './page-source.ts'
import { sessionStorageReplayStore } from './web-storage-replay-store.ts'

/**
 * A client with a page's defaults. Positions are kept in `sessionStorage`, for this tab. Cookies are the browser's
 * (`credentials: 'include'`). When the page is left or frozen the org is told goodbye, when it comes back the client goes on after the
 * last event, and when the network comes back it tries at once.
 */
export function createClient(options: ClientOptions): StreamingClient {
  checkOptions(options)
  const replayStore = options.replayStore === undefined ? sessionStorageReplayStore() : options.replayStore
  if ('source' in options && options.source) return createCoreClient({ ...options, replayStore })
  const { auth, apiVersion, endpoint, transport, extensions, retry, reconnect, followAdvice, ...common } = options as Exclude<
    ClientOptions,
    { source: unknown }
  >
  const platform = webPlatform(options.platform)
  const bayeux = {
    auth,
    transport: transport ?? fetchTransport(platform, { cookies: 'browser' }),
    ...(apiVersion !== undefined && { apiVersion }),
    ...(endpoint !== undefined && { endpoint }),
    ...(extensions !== undefined && { extensions }),
    ...(retry !== undefined && { retry }),
    ...(reconnect !== undefined && { reconnect }),
    ...(followAdvice !== undefined && { followAdvice }),
  }
  return createCoreClient({ ...common, source: pageSource(bayeuxSource(bayeux, platform), browserPageEvents()), replayStore })
}
