import type { BayeuxOptions, ClientOptions, StreamingClient } from '@sfstream/core'
import { bayeuxSource, checkOptions, fetchTransport, webPlatform } from '@sfstream/core/internal'
import { pageClient } from './page-client.ts'

/**
 * A client with a page's defaults. Positions are kept in `sessionStorage`, for this tab. Cookies are the browser's
 * (`credentials: 'include'`). When the page is left or frozen the org is told goodbye, when it comes back the client goes on after the
 * last event, and when the network comes back it tries at once.
 */
export function createClient(options: ClientOptions): StreamingClient {
  // First: what the Source is made of has to be right.
  checkOptions(options)
  if ('source' in options && options.source) return pageClient(options.source, options)
  const bayeux = options as BayeuxOptions
  const platform = webPlatform(options.platform)
  const transport = bayeux.transport ?? fetchTransport(platform)
  return pageClient(bayeuxSource({ ...bayeux, transport }, platform), options)
}
