export { createRelay } from './create-relay.ts'
export type { Relay, RelayOptions, RelayStats } from './relay-options.ts'
export type { NodeRequest, NodeResponse } from './replies.ts'
