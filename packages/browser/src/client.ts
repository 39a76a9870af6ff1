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
  // First: what the Source is made of has to be right.
  checkOptions(options)
  const replayStore = options.replayStore === undefined ? sessionStorageReplayStore() : options.replayStore
  if ('source' in options && options.source) {
    return createCoreClient({ ...options, source: pageSource(options.source, browserPageEvents()), replayStore })
  }
  const bayeux = options as Exclude<ClientOptions, { source: unknown }>
  const platform = webPlatform(options.platform)
  const transport = bayeux.transport ?? fetchTransport(platform, { cookies: 'browser' })
  const source = pageSource(bayeuxSource({ ...bayeux, transport }, platform), browserPageEvents())
  return createCoreClient({ ...options, source, replayStore })
}
