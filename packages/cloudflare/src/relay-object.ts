import { memoryReplayStore, type StreamEvent, type StreamingClient } from '@sfstream/core'
import { createRelay, type Relay, type RelayOptions } from '@sfstream/relay'
import { StreamingObject } from './streaming-object.ts'

/**
 * A StreamingObject that browsers read from, too: `GET /events` is a relay (`@sfstream/relay`) over the object's own session. While
 * nothing is held (`POST /start` was not asked) it begins a session when the first browser comes.
 *
 * Open streams keep the object in memory. When it is evicted they end, and each browser goes on after its last event.
 */
export abstract class RelayObject<Env = unknown> extends StreamingObject<Env> {
  /** Limits, heartbeats, CORS. */
  protected readonly relayOptions: Partial<Omit<RelayOptions, 'connect' | 'channels' | 'authorize'>> = {}
  #relay: Relay | undefined
  #lent: StreamingClient | undefined

  /** Whether a browser may read the channel; see `RelayOptions`. */
  protected abstract authorize(request: Request, channel: string): ReturnType<RelayOptions['authorize']>

  /** Nothing by default: the events are the browsers'. */
  protected override handle(_event: StreamEvent): unknown {
    return undefined
  }

  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== '/events') return super.fetch(request)
    await this.keep(false)
    this.#relay ??= this.#mount()
    return this.#relay(request)
  }

  protected override async keep(isDue?: boolean): Promise<void> {
    await super.keep(isDue)
    // The loop has begun anew, or has ended, since: pages come back for the session that there is now.
    if (!this.#relay || this.#lent === this.client) return
    const old = this.#relay
    this.#relay = undefined
    await old.close().catch(() => {})
  }

  #mount(): Relay {
    this.#lent = this.client
    const lent = this.#lent
    return createRelay({
      ...this.relayOptions,
      channels: this.channels,
      authorize: (request, channel) => this.authorize(request, channel),
      connect: (purpose) => (purpose === 'live' && lent ? withoutStop(lent) : this.connect(memoryReplayStore())),
    })
  }
}

/** The loop's client is not the relay's to stop. */
function withoutStop(client: StreamingClient): StreamingClient {
  return new Proxy(client, {
    get(target, name) {
      if (name === 'stop') return async () => {}
      const value: unknown = Reflect.get(target, name, target)
      // Of a class: its methods want the client itself.
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
