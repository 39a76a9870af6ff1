import { onAbort } from './async/signals.ts'
import { type Tap, type TapIterator, tap } from './async/tap.ts'
import { checkedChannel } from './bayeux/wire/channel.ts'
import type { BayeuxMessage, OutgoingMessage } from './bayeux/wire/message.ts'
import { checkMessage, checkSubscribeOptions } from './check-options.ts'
import type { ClientState, ClientStatus } from './client-status.ts'
import { type Delivery, delivery } from './delivery/delivery.ts'
import type { Subscription } from './delivery/subscription.ts'
import { StateError } from './errors.ts'
import type { StreamEvent } from './events/stream-event.ts'
import type { CommonOptions, SubscribeOptions } from './options.ts'
import type { Platform } from './platform.ts'
import type { Source } from './source/source.ts'
import type { StreamingClient } from './streaming-client.ts'

/** Values a tap keeps for a reader that lags behind. */
const tapSize = 1_000

/**
 * The client over any Source: what `createClient` makes once it has one. The caller has checked the options; without a `replayStore`
 * positions are not even kept in memory.
 */
export function sourceClient(source: Source, options: CommonOptions, platform: Platform): StreamingClient {
  return new SourceClient(source, options, platform)
}

/** A class, because a process may hold thousands: what they share is not kept for each. */
class SourceClient implements StreamingClient {
  readonly #source: Source
  readonly #platform: Platform
  readonly #signal: AbortSignal | undefined
  readonly #deliveries: Delivery
  readonly #statuses: Tap<ClientStatus>[] = []
  readonly #messages: Tap<BayeuxMessage>[] = []
  #state: ClientState = 'idle'
  #stopping: Promise<void> | undefined
  #stops = 0
  #removeAbort: (() => void) | undefined

  constructor(source: Source, options: CommonOptions, platform: Platform) {
    this.#source = source
    this.#platform = platform
    this.#signal = options.signal
    const report = (status: ClientStatus): void => {
      if (status.type === 'state') this.#state = status.state
      for (const each of this.#statuses) each.push(status)
    }
    this.#deliveries = delivery({ source, platform, options, report })
    source.observe({ status: report })
  }

  get state(): ClientState {
    return this.#state
  }

  get endpoint(): URL | undefined {
    return this.#source.endpoint
  }

  async org(): Promise<string> {
    this.#begin()
    return this.#source.org()
  }

  now(): number {
    return this.#source.now?.() ?? this.#platform.now()
  }

  async start(): Promise<void> {
    if (this.#stopping) {
      const asked = this.#stops
      // How the last run ended is told to who stopped it.
      await this.#stopping.catch(() => {})
      if (this.#stops !== asked) throw stoppedFirst()
    }
    this.#begin()
    await this.#source.start()
  }

  subscribe<T>(channel: string, options: SubscribeOptions<T> = {}): Subscription<T> {
    checkSubscribeOptions(options)
    this.#begin()
    return this.#deliveries.subscribe(checkedChannel(channel), options)
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#deliveries.unsubscribe(channel)
  }

  events(): AsyncIterableIterator<StreamEvent> {
    this.#begin()
    return this.#deliveries.events()
  }

  messages(): TapIterator<BayeuxMessage> {
    const made = this.#tapped(this.#messages, () => unobserve())
    // While nobody listens, no event is handed around for it.
    const unobserve = this.#source.observe({ message: made.push })
    return made.iterator
  }

  status(): TapIterator<ClientStatus> {
    return this.#tapped(this.#statuses).iterator
  }

  async send(message: OutgoingMessage): Promise<BayeuxMessage[]> {
    checkMessage(message)
    return this.#source.send(message)
  }

  askStop(): void {
    this.#deliveries.askStop()
    for (const each of [...this.#messages]) each.finish()
  }

  stop(): Promise<void> {
    this.#stops++
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #stop(): Promise<void> {
    try {
      // Saving and saying goodbye do not wait for each other. Goodbye first: it spares the org the unsubscribes.
      const goodbye = this.#source.stop()
      const [saved] = await Promise.allSettled([this.#deliveries.close(), goodbye])
      if (saved.status === 'rejected') throw saved.reason
    } finally {
      this.#stopping = undefined
      this.#removeAbort?.()
      this.#removeAbort = undefined
      for (const each of [...this.#statuses, ...this.#messages]) each.finish()
    }
  }

  /**
   * Whatever is begun is watched over until `stop`; nothing listens before. What is begun while the client stops would outlive that.
   * @throws StateError, or the signal's reason
   */
  #begin(): void {
    const signal = this.#signal
    signal?.throwIfAborted()
    if (this.#stopping) throw stoppedFirst()
    if (!signal) return
    this.#removeAbort ??= onAbort(signal, () => {
      this.#deliveries.abort(signal.reason)
      this.stop().catch(() => {})
    })
  }

  #tapped<T>(taps: Tap<T>[], left?: () => void): Tap<T> {
    if (!this.#stopping) this.#begin()
    const made = tap<T>(tapSize, () => {
      taps.splice(taps.indexOf(made), 1)
      left?.()
    })
    taps.push(made)
    return made
  }
}

function stoppedFirst(): StateError {
  return new StateError({ code: 'client_stopped', message: 'The client is being stopped.', remediation: 'Await stop() first.' })
}
