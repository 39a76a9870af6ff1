export type { RelayClientOptions } from './client/relay-source.ts'
export { relay } from './client/relay-source.ts'
