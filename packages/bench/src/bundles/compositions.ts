/** What is bundled, as an application would write it. */
export interface Composition {
  name: string
  source: string
  /** DESIGN's budget, in KB of min+gzip. */
  budgetKb?: number
}

/** A page that streams by itself: client, Bayeux, positions in sessionStorage, a token. */
export const page: Composition = {
  name: 'page: createClient, Bayeux, sessionStorage, accessToken',
  source: `import { accessToken, createClient, sessionStorageReplayStore } from '@sfstream/browser'
    globalThis.start = (session) => createClient({ auth: accessToken(session), replayStore: sessionStorageReplayStore() })`,
  budgetKb: 10,
}

/** A page that a relay feeds: no Bayeux, no login. */
export const relayPage: Composition = {
  name: 'page fed by a relay: createClient, relay',
  source: `import { createClient } from '@sfstream/browser/source'
    import { relay } from '@sfstream/relay/client'
    globalThis.start = (url) => createClient({ source: relay(url) })`,
  budgetKb: 6,
}

/** What stands above every Source, and nothing below: how much of a page is no transport and no protocol of any kind. */
export const ownSourcePage: Composition = {
  name: 'page with a Source of its own: createClient',
  source: `import { createClient } from '@sfstream/browser/source'
    globalThis.start = (source) => createClient({ source })`,
}

const everything = (entry: string): Composition => ({ name: entry, source: `export * from '${entry}'` })

export const entryPoints = [
  '@sfstream/core',
  '@sfstream/core/internal',
  '@sfstream/core/explain',
  '@sfstream/auth',
  '@sfstream/rest',
  '@sfstream/browser',
  '@sfstream/browser/source',
  '@sfstream/relay',
  '@sfstream/relay/client',
  '@sfstream/cloudflare',
  '@sfstream/deno',
  '@sfstream/node',
] as const

/** All but Node's, which no page can load. */
export const entries: readonly Composition[] = entryPoints.filter((entry) => entry !== '@sfstream/node').map(everything)

export const peerBundles: readonly Composition[] = [
  { name: 'cometd JS', source: `import { CometD } from 'cometd'; globalThis.CometD = CometD` },
  { name: 'faye', source: `import faye from 'faye/client/faye-browser-min.js'; globalThis.faye = faye` },
  { name: 'ofetch', source: `import { ofetch } from 'ofetch'; globalThis.ofetch = ofetch` },
]
