import { onAbort } from './async/signals.ts'
import { type Tap, type TapIterator, tap } from './async/tap.ts'
import { checkedChannel } from './bayeux/wire/channel.ts'
import type { BayeuxMessage } from './bayeux/wire/message.ts'
import { checkMessage, checkSubscribeOptions } from './check-options.ts'
import type { ClientState, ClientStatus } from './client-status.ts'
import { delivery } from './delivery/delivery.ts'
import { memoryReplayStore } from './delivery/memory-replay-store.ts'
import { StateError } from './errors.ts'
import type { CommonOptions, SubscribeOptions } from './options.ts'
import type { Platform } from './platform.ts'
import type { Source } from './source/source.ts'
import type { StreamingClient } from './streaming-client.ts'

/** Values a tap keeps for a reader that lags behind. */
const tapSize = 1_000

/** The client over any Source: what `createClient` makes once it has one. The caller has checked the options. */
export function sourceClient(source: Source, options: CommonOptions, platform: Platform): StreamingClient {
  let state: ClientState = 'idle'
  const statuses = new Set<Tap<ClientStatus>>()
  const messages = new Set<Tap<BayeuxMessage>>()

  const report = (status: ClientStatus): void => {
    if (status.type === 'state') state = status.state
    for (const each of statuses) each.push(status)
  }
  const tapped = <T>(taps: Set<Tap<T>>, left = (): void => {}): TapIterator<T> => {
    begin()
    const made = tap<T>(tapSize, () => {
      taps.delete(made)
      left()
    })
    taps.add(made)
    return made.iterator
  }
  const deliveries = delivery({
    source,
    platform,
    options: { ...options, replayStore: options.replayStore === undefined ? memoryReplayStore() : options.replayStore },
    report,
  })
  source.observe({ status: report })
  let unobserveMessages: (() => void) | undefined
  const tapMessages = (): TapIterator<BayeuxMessage> => {
    const iterator = tapped(messages, () => {
      if (messages.size > 0) return
      unobserveMessages?.()
      unobserveMessages = undefined
    })
    // While nobody listens, no event is handed around for it.
    unobserveMessages ??= source.observe({
      message(message) {
        for (const each of messages) each.push(message)
      },
    })
    return iterator
  }

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
    messages: tapMessages,
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
