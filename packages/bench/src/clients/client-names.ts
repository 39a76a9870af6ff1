/** Everything that is measured, in the order in which it is shown. */
export const labels = {
  'sfstream-core': 'sfstream (core, fetch)',
  'sfstream-node': 'sfstream (node)',
  'sfstream-node-file': 'sfstream (node, file store)',
  'bare-fetch': 'bare fetch',
  'bare-http': 'bare node:http',
  'bare-http-awaited': 'bare node:http, for await',
  cometd: 'cometd JS',
  faye: 'faye',
  jsforce: 'jsforce',
  'salesforce-core': '@salesforce/core',
  'server-ceiling': 'server alone, 1 connection',
  'server-ceiling-4': 'server alone, 4 connections',
} as const

export type ClientName = keyof typeof labels

/** The bare loop on the same transport: what a client is held against. */
export const bareOf = {
  'sfstream-core': 'bare-fetch',
  'sfstream-node': 'bare-http',
} as const satisfies Partial<Record<ClientName, ClientName>>

export type Sfstream = keyof typeof bareOf

export const sfstreams = Object.keys(bareOf) as Sfstream[]
export const peers = ['cometd', 'faye', 'jsforce', 'salesforce-core'] as const satisfies readonly ClientName[]
/** Each of ours and its bare loop, neighbours in time: what befalls the machine is to befall both. */
export const pairs = ['sfstream-core', 'bare-fetch', 'sfstream-node', 'bare-http'] as const satisfies readonly ClientName[]
export const ceilings = ['server-ceiling', 'server-ceiling-4'] as const satisfies readonly ClientName[]
