import { onAbort } from './async/signals.ts'
import { type Tap, type TapIterator, tap } from './async/tap.ts'
import { bayeuxSource } from './bayeux/session/bayeux-source.ts'
import { checkedChannel } from './bayeux/wire/channel.ts'
import type { BayeuxMessage } from './bayeux/wire/message.ts'
import { checkMessage, checkOptions, checkSubscribeOptions } from './check-options.ts'
import type { ClientState, ClientStatus } from './client-status.ts'
import { delivery } from './delivery/delivery.ts'
import { memoryReplayStore } from './delivery/memory-replay-store.ts'
import { StateError } from './errors.ts'
import type { BayeuxOptions, ClientOptions, SubscribeOptions } from './options.ts'
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
  const source = 'source' in options && options.source ? options.source : bayeuxSource(options as BayeuxOptions, platform)
  let state: ClientState = 'idle'
  const statuses = new Set<Tap<ClientStatus>>()
  const messages = new Set<Tap<BayeuxMessage>>()

  const report = (status: ClientStatus): void => {
    if (status.type === 'state') state = status.state
    for (const each of statuses) each.push(status)
  }
  const tapped = <T>(taps: Set<Tap<T>>): TapIterator<T> => {
    begin()
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
        removeAbort()
        for (const each of [...statuses, ...messages]) each.finish()
      }
    })()
    return stopping
  }

  const { signal } = options
  let removeAbort = (): void => {}
  /** Whatever is begun is watched over until `stop`; nothing listens before. @throws StateError, or the signal's reason */
  const begin = (): void => {
    signal?.throwIfAborted()
    if (!signal || stopping) return
    removeAbort()
    removeAbort = onAbort(signal, () => {
      deliveries.abort(signal.reason)
      stop().catch(() => {})
    })
  }

  const client: StreamingClient = {
    get state() {
      return state
    },
    get endpoint() {
      return source.endpoint
    },
    async org() {
      begin()
      return source.org()
    },
    now: () => source.now?.() ?? platform.now(),
    async start() {
      if (stopping) {
        const asked = stops
        // How the last run ended is told to who stopped it.
        await stopping.catch(() => {})
        if (stops !== asked) throw stoppedFirst()
      }
      begin()
      await source.start()
    },
    subscribe<T>(channel: string, subscribeOptions: SubscribeOptions<T> = {}) {
      if (stopping) throw stoppedFirst()
      checkSubscribeOptions(subscribeOptions)
      begin()
      return deliveries.subscribe(checkedChannel(channel), subscribeOptions)
    },
    unsubscribe: (channel) => deliveries.unsubscribe(channel),
    events() {
      begin()
      return deliveries.events()
    },
    messages: () => tapped(messages),
    status: () => tapped(statuses),
    async send(message) {
      checkMessage(message)
      return source.send(message)
    },
    askStop() {
      deliveries.askStop()
      for (const each of [...messages]) each.finish()
    },
    stop,
    async [Symbol.asyncDispose]() {
      await client.stop()
    },
  }
  return client
}

function stoppedFirst(): StateError {
  return new StateError({ code: 'client_stopped', message: 'The client is being stopped.', remediation: 'Await stop() first.' })
}
