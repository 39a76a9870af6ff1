// Values

// Types
export type { TapIterator } from './async/tap.ts'
export type { AuthProvider, OrgSession } from './auth-provider.ts'
export type { Deadline, Transport, TransportRequest, TransportResponse } from './bayeux/transport/transport.ts'
export type { Advice, BayeuxMessage, OutgoingMessage } from './bayeux/wire/message.ts'
export { createClient } from './client.ts'
export type { ClientState, ClientStatus } from './client-status.ts'
export { memoryReplayStore } from './delivery/memory-replay-store.ts'
export type { ReplayKey, ReplayPosition, ReplayStore } from './delivery/replay-store.ts'
export type { Subscription, SubscriptionStats } from './delivery/subscription.ts'
export type { ErrorCode, ErrorDetails, ServerFault } from './errors.ts'
export {
  AuthenticationError,
  HandshakeError,
  LimitError,
  ProtocolError,
  ReplayError,
  SfStreamError,
  StateError,
  SubscribeError,
  TransportError,
} from './errors.ts'
export type { EventKind, ReplayId, StreamEvent } from './events/stream-event.ts'
export type {
  BayeuxOptions,
  ClientOptions,
  CommonOptions,
  DrainBounds,
  Extension,
  Fault,
  Retry,
  RetryOptions,
  RetryPolicy,
  SubscribeOptions,
} from './options.ts'
export type { Platform } from './platform.ts'
export type { Batch, Feed, OpenRequest, Source, SourceObserver, StartPosition } from './source/source.ts'
export type { ReplayGapReason, SourceState, SourceStatus } from './source/source-status.ts'
export type { StreamingClient } from './streaming-client.ts'
