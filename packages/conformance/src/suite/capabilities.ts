/** What is run on. */
export const runtimeNames = [
  'node-20',
  'node-22',
  'node-24',
  'node-26',
  'deno',
  'bun',
  'workerd',
  'workerd-nodejs-compat',
  'edge-runtime',
  'chromium',
  'firefox',
] as const
export type RuntimeName = (typeof runtimeNames)[number]

/** What a case may need that not every runtime has. */
export type Capability =
  /** The adapter's own store outlives the client. */
  | 'durable-default-store'
  /** A request whose reply was lost fails, and is not sent again behind the caller's back. */
  | 'requests-are-sent-once'

const resends =
  'its fetch sends a request again by itself when a kept connection is reset before the headers, and tells nobody that a reply was lost'

/** What a runtime cannot do, with the reason: a case that needs it is skipped there, and nowhere else. */
export const lacking: { readonly [Name in RuntimeName]?: { readonly [Needed in Capability]?: string } } = {
  chromium: { 'requests-are-sent-once': resends },
  firefox: { 'requests-are-sent-once': resends },
  workerd: { 'durable-default-store': 'a Worker has no storage without a binding: the store is passed in' },
  'workerd-nodejs-compat': { 'durable-default-store': 'a Worker has no storage without a binding: the store is passed in' },
  'edge-runtime': { 'durable-default-store': 'edge-runtime has no storage, and no adapter of its own: core and auth are used' },
}
