import { onAbort } from './async/signals.ts'
import { type Tap, tap } from './async/tap.ts'
import { bayeuxSource } from './bayeux/session/bayeux-source.ts'
import { checkedChannel } from './bayeux/wire/channel.ts'
import type { BayeuxMessage } from './bayeux/wire/message.ts'
import { checkOptions, checkSubscribeOptions } from './check-options.ts'
import type { ClientState, ClientStatus } from './client-status.ts'
import { delivery } from './delivery/delivery.ts'
import { memoryReplayStore } from './delivery/memory-replay-store.ts'
import { StateError } from './errors.ts'
import type { ClientOptions, SubscribeOptions } from './options.ts'
import { webPlatform } from './platform.ts'
import type { StreamingClient } from './streaming-client.ts'

/** Values a tap keeps for a reader that lags behind. */
const tapSize = 1_000

/**
 * A client. Nothing is sent before `start()` or the first subscription.
 *
 * @throws SfStreamError `bad_option`, HandshakeError `bad_api_version`, AuthenticationError `missing_credential`,
 * `bad_instance_url` or `jwt_access_token`, for options that cannot work
 */
export function createClient(options: ClientOptions): StreamingClient {
  checkOptions(options)
  const platform = webPlatform(options.platform)
  const source = 'source' in options ? options.source : bayeuxSource(options, platform)
  let state: ClientState = 'idle'
  const statuses = new Set<Tap<ClientStatus>>()
  const messages = new Set<Tap<BayeuxMessage>>()

  const report = (status: ClientStatus): void => {
    if (status.type === 'state') state = status.state
    for (const each of statuses) each.push(status)
  }
  const tapped = <T>(taps: Set<Tap<T>>): AsyncIterableIterator<T> => {
    const made = tap<T>(tapSize, () => taps.delete(made))
    taps.add(made)
    return made.iterator
  }
  const deliveries = delivery({
    source,
    platform,
    options: { ...options, replayStore: options.replayStore === undefined ? memoryReplayStore() : options.replayStore },
    report,
  })
  source.observe({
    status: report,
    message(message) {
      for (const each of messages) each.push(message)
    },
  })

  let stopping: Promise<void> | undefined
  let stops = 0
  const stop = (): Promise<void> => {
    stops++
    stopping ??= (async () => {
      try {
        // Saving and saying goodbye do not wait for each other. Goodbye first: it spares the org the unsubscribes.
        const goodbye = source.stop()
        const [saved] = await Promise.allSettled([deliveries.close(), goodbye])
        if (saved.status === 'rejected') throw saved.reason
      } finally {
        stopping = undefined
        disarm()
        for (const each of [...statuses, ...messages]) each.finish()
        statuses.clear()
        messages.clear()
      }
    })()
    return stopping
  }
  const { signal } = options
  let disarm = (): void => {}
  /** Listens while there is something to stop: a signal may outlive any number of clients. */
  const arm = (): void => {
    if (!signal) return
    disarm()
    disarm = onAbort(signal, () => {
      deliveries.abort(signal.reason)
      stop().catch(() => {})
    })
  }
  arm()

  const client: StreamingClient = {
    get state() {
      return state
    },
    get endpoint() {
      return source.endpoint
    },
    async start() {
      signal?.throwIfAborted()
      if (stopping) {
        const asked = stops
        await stopping.catch(() => {})
        if (stops !== asked) throw stoppedFirst()
      }
      arm()
      await source.start()
    },
    subscribe<T>(channel: string, subscribeOptions: SubscribeOptions<T> = {}) {
      signal?.throwIfAborted()
      if (stopping) throw stoppedFirst()
      checkSubscribeOptions(subscribeOptions)
      const subscription = deliveries.subscribe(checkedChannel(channel), subscribeOptions)
      arm()
      return subscription
    },
    unsubscribe: (channel) => deliveries.unsubscribe(channel),
    events: () => deliveries.events(),
    messages: () => tapped(messages),
    status: () => tapped(statuses),
    send: (message) => source.send(message),
    askStop: () => deliveries.askStop(),
    stop,
    async [Symbol.asyncDispose]() {
      await client.stop()
    },
  }
  return client
}

function stoppedFirst(): StateError {
  return new StateError({ code: 'client_stopped', message: 'The client is stopping.', remediation: 'Await stop() first.' })
}
