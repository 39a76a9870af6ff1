import type { TapIterator } from './async/tap.ts'
import type { BayeuxMessage, OutgoingMessage } from './bayeux/wire/message.ts'
import type { ClientState, ClientStatus } from './client-status.ts'
import type { Subscription } from './delivery/subscription.ts'
import type { StreamEvent } from './events/stream-event.ts'
import type { SubscribeOptions } from './options.ts'

/** The client a program works with; made by `createClient`. */
export interface StreamingClient extends AsyncDisposable {
  readonly state: ClientState
  /** The CometD endpoint, once known. */
  readonly endpoint: URL | undefined
  /** Names the org, as in replay keys: the first 15 characters of its id, else its host. Logs in if need be. @throws the coded error once the client has failed */
  org(): Promise<string>
  /** The time by the org's clock, as far as it is known: the machine's own may be wrong by hours. [PROTOCOL D9] */
  now(): number
  /** Connects. Optional: the first subscription does it. */
  start(): Promise<void>
  /**
   * Begins a subscription at once; `ready` tells when the org has accepted it. A PushTopic may carry a filter
   * (`/topic/T?Industry='Energy'`, `&` means or). Two filters of one topic need a client each: events do not say which they came by,
   * so that each subscription would be handed both's.
   */
  subscribe<T = unknown>(channel: string, options?: SubscribeOptions<T>): Subscription<T>
  /** Closes the channel's subscriptions. */
  unsubscribe(channel: string): Promise<void>
  /**
   * Events of every subscription that has no loop of its own, present or later. With several such loops, each channel
   * stays with the one that took from it first.
   */
  events(): AsyncIterableIterator<StreamEvent>
  /** Every message, meta messages too. A tap: keeps the last 1,000, counts what it drops, and never slows the stream. */
  messages(): TapIterator<BayeuxMessage>
  /** What happens to the connection. A tap, like `messages()`. */
  status(): TapIterator<ClientStatus>
  /** Sends one message; resolves with the replies. Not for handshake, connect or disconnect. */
  send(message: OutgoingMessage): Promise<BayeuxMessage[]>
  /** Lets every loop over events and messages finish what is buffered, then end; nothing more is received. `status()` goes on until `stop()`. */
  askStop(): void
  /** Closes all subscriptions, saves positions, says goodbye (2 s at most). `start()` works again afterwards. */
  stop(): Promise<void>
}
