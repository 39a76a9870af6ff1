import type { ClientOptions, Source, StreamingClient } from '@sfstream/core'
import { bayeuxSource, checkOptions, fetchTransport, sourceClient, webPlatform } from '@sfstream/core/internal'
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
  const platform = webPlatform(options.platform)
  const bayeux = (): Source => {
    const given = options as Exclude<ClientOptions, { source: unknown }>
    return bayeuxSource({ ...given, transport: given.transport ?? fetchTransport(platform) }, platform)
  }
  const source = 'source' in options && options.source ? options.source : bayeux()
  return sourceClient({ ...options, replayStore }, pageSource(source, browserPageEvents()), platform)
}
