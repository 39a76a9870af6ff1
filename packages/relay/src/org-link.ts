import { SfStreamError, StateError, type StreamingClient } from '@sfstream/core'
import { type ChannelHub, channelHub, slots, untilAborted } from '@sfstream/core/internal'
import { type EventFrame, eventFrame } from './frames.ts'
import type { CheckedRelayOptions } from './relay-options.ts'

/** A hub in use: let it go when done. */
export interface HeldHub {
  hub: ChannelHub<EventFrame>
  release(): void
}

/**
 * The relay's side towards the org: one live client, made when first needed and again after it has failed, and a hub for each channel
 * somebody reads.
 */
export interface OrgLink {
  readonly channels: number
  readonly catchUps: number
  /** Events can arrive. */
  readonly live: boolean
  /** The org as it was last named. */
  readonly name: string | undefined
  /** By the org's clock. */
  now(): number
  /** Names the org; logs in if need be. */
  org(signal: AbortSignal): Promise<string>
  hold(channel: string): HeldHub
  /** Called when `live` or `name` changes; the returned function stops it. */
  observe(changed: () => void): () => void
  close(): Promise<void>
}

/** A channel or client that has failed is tried again after this, however many ask for it. */
const failedMs = 30_000

interface Held {
  hub: ChannelHub<EventFrame>
  users: number
  cancelLinger(): void
}

export function orgLink(options: CheckedRelayOptions): OrgLink {
  const { platform } = options
  const replays = slots(options.maxCatchUps)
  const hubs = new Map<string, Held>()
  const failures = new Map<string, { error: unknown; at: number }>()
  const observers = new Set<() => void>()
  let client: StreamingClient | undefined
  let clientFailure: { error: unknown; at: number } | undefined
  let live = false
  let name: string | undefined
  let catchUps = 0
  let hubNumber = 0
  /** Requests that wait for the org's name. */
  let asking = 0
  let cancelRest = (): void => {}
  let closed = false
  /** Marks of an earlier run must not be taken for this one's. */
  const run = Array.from({ length: 3 }, () => Math.floor(platform.random() * 2 ** 32).toString(36)).join('')

  const recent = (failure: { at: number } | undefined): boolean => failure !== undefined && platform.now() - failure.at < failedMs
  const setLive = (now: boolean): void => {
    if (live === now) return
    live = now
    for (const changed of [...observers]) changed()
  }
  const drop = (failed: StreamingClient, error: unknown): void => {
    if (client !== failed) return
    client = undefined
    clientFailure = { error, at: platform.now() }
    options.onError(error)
    setLive(false)
    failed.stop().catch(() => {})
  }
  /** Nobody reads anything: a session would be one of the org's few, held for nobody. */
  const rest = (): void => {
    if (hubs.size > 0 || asking > 0) return
    const idle = client
    client = undefined
    setLive(false)
    idle?.stop().catch(() => {})
  }
  /** Who asked for the org alone, or for channels that cannot be had, may come back; or nobody does. */
  const restLater = (): void => {
    cancelRest()
    if (hubs.size === 0 && !closed) cancelRest = platform.delay(rest, options.lingerMs)
  }
  const forget = (channel: string, held: Held): Promise<void> => {
    held.cancelLinger()
    if (hubs.get(channel) === held) hubs.delete(channel)
    return held.hub.close()
  }
  /** What the windows hold is of no use in another org, where the same ids are other events. */
  const learn = (now: string): void => {
    const isMoved = name !== undefined && name !== now
    name = now
    if (!isMoved) return
    for (const [channel, held] of [...hubs]) void forget(channel, held)
    restLater()
    for (const changed of [...observers]) changed()
  }
  const watch = async (watched: StreamingClient): Promise<void> => {
    for await (const status of watched.status()) {
      if (client !== watched) return
      if (status.type === 'state') {
        setLive(status.state === 'live')
        if (status.state === 'failed') drop(watched, status.error)
      } else if (status.type === 'replayGap') {
        const { type: _, channel, ...gap } = status
        hubs.get(channel)?.hub.gap(gap)
        if (gap.reason === 'other-org')
          watched.org().then(
            (now) => client === watched && learn(now),
            () => {},
          )
      } else if (status.type === 'resubscribed') {
        hubs.get(status.channel)?.hub.resubscribed()
      }
    }
  }
  /** What the owner's `connect` throws, or does not return, is told to the owner. */
  const made = (purpose: 'live' | 'replay'): StreamingClient => {
    try {
      const client = options.connect(purpose)
      if (typeof client?.subscribe === 'function') return client
      throw new StateError({
        code: 'bad_option',
        message: `createRelay: connect('${purpose}') returned ${client === undefined ? 'nothing' : 'what is no client'}.`,
        remediation: 'Return createClient({ …, replayStore: null }).',
      })
    } catch (error) {
      options.onError(error)
      // Of the owner's options a reader can mend nothing.
      throw error instanceof SfStreamError && error.code !== 'bad_option' ? error : notMade()
    }
  }
  const connected = (): StreamingClient => {
    if (closed) throw closing()
    if (client) return client
    if (clientFailure && recent(clientFailure)) throw clientFailure.error
    clientFailure = undefined
    client = made('live')
    watch(client).catch(() => {})
    return client
  }
  const open = (channel: string): Held => {
    const failure = failures.get(channel)
    if (failure && recent(failure)) throw failure.error
    failures.delete(channel)
    const held: Held = {
      users: 0,
      cancelLinger() {},
      hub: channelHub<EventFrame>({
        channel,
        name: `${run}${(hubNumber++).toString(36)}`,
        live: connected(),
        begin: 'new',
        connect() {
          catchUps++
          return made('replay')
        },
        replays,
        wrap: eventFrame,
        limits: options.window,
        platform,
        fallback: options.fallback,
        stallMs: options.stallMs,
        failed(error) {
          failures.set(channel, { error, at: platform.now() })
          void forget(channel, held)
          restLater()
        },
      }),
    }
    hubs.set(channel, held)
    return held
  }

  return {
    get channels() {
      return hubs.size
    },
    get catchUps() {
      return catchUps
    },
    get live() {
      return live
    },
    get name() {
      return name
    },
    now: () => client?.now() ?? platform.now(),
    async org(signal) {
      const asked = connected()
      asking++
      try {
        const now = await untilAborted(asked.org(), signal)
        learn(now)
        return now
      } catch (error) {
        if (!signal.aborted) drop(asked, error)
        throw error
      } finally {
        asking--
        restLater()
      }
    },
    hold(channel) {
      const held = hubs.get(channel) ?? open(channel)
      held.cancelLinger()
      held.users++
      let released = false
      return {
        hub: held.hub,
        release() {
          if (released) return
          released = true
          held.users--
          if (held.users > 0 || hubs.get(channel) !== held) return
          held.cancelLinger = platform.delay(() => {
            void forget(channel, held)
            rest()
          }, options.lingerMs)
        },
      }
    },
    observe(changed) {
      observers.add(changed)
      return () => observers.delete(changed)
    },
    async close() {
      closed = true
      cancelRest()
      const replays = [...hubs].map(([channel, held]) => forget(channel, held))
      const last = client
      client = undefined
      await Promise.all([last?.stop(), ...replays])
    },
  }
}

function notMade(): StateError {
  return new StateError({
    code: 'server_stopped',
    message: 'The relay has no client.',
    remediation: 'See what `onError` of the relay is told.',
    retryable: true,
  })
}

export function closing(): StateError {
  return new StateError({
    code: 'client_stopped',
    message: 'The relay is shutting down.',
    remediation: 'Come back in a few seconds.',
    retryable: true,
  })
}
