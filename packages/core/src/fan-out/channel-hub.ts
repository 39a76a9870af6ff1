import { sleep } from '../async/sleep.ts'
import type { Slots } from '../async/slots.ts'
import { StateError } from '../errors.ts'
import { dateMs } from '../events/event-fields.ts'
import type { ReplayId, StreamEvent } from '../events/stream-event.ts'
import type { Platform } from '../platform.ts'
import type { StartPosition } from '../source/source.ts'
import type { ReplayGapReason } from '../source/source-status.ts'
import type { StreamingClient } from '../streaming-client.ts'
import { type CatchUp, catchUp } from './catch-up.ts'
import { eventBatches, type Wrap } from './event-batches.ts'
import { type EventWindow, eventWindow, type WindowGap, type WindowItem, type WindowLimits } from './event-window.ts'
import { type HubItem, type HubReader, isMark, type Mark, type Member, replayable } from './hub-reader.ts'
import { readThrough } from './read-through.ts'

export interface ChannelHubParts<T> {
  channel: string
  /** Names this hub in marks: no two hubs may share it. */
  name: string
  /** Holds the channel for all readers; others may use it too. */
  live: StreamingClient
  /** Where the live subscription begins. Readers of later positions wait for theirs to come by. */
  begin: StartPosition
  /** A client for a replay; it is stopped afterwards, and must keep no positions. */
  connect(): StreamingClient
  /** Bounds the replays of all hubs together. */
  replays: Slots
  wrap: Wrap<T>
  limits: WindowLimits
  platform: Platform
  /** What a position that cannot be resumed from is replaced by. */
  fallback: 'all' | 'new'
  /** How long one slow reader may hold up a replay that others share. */
  stallMs: number
  /** The live subscription has ended, for good; all readers have been told. */
  failed(error: unknown): void
}

/**
 * One channel of one org session, for any number of readers. The live subscription never waits for anybody: it feeds a bounded
 * window, and who falls out of it, or comes with an older position, is served by a replay until the two meet. [PROTOCOL L]
 */
export interface ChannelHub<T> {
  open(from: StartPosition | Mark, ready: () => void): HubReader<T>
  /** The live client has reported a gap on this channel. */
  gap(gap: Omit<WindowGap, 'type' | 'own'>): void
  /** The live client has subscribed this channel again. */
  resubscribed(): void
  /** Unsubscribes; readers end without a word. Resolves when a replay under way has said goodbye. */
  close(): Promise<void>
}

/** A replay has ended when the org was quiet for so long. */
const quietMs = 10_000
const maxReplayingMs = 60_000
/** Between two replays of a channel, so that those who come together share one. */
const replayPauseMs = 250

export function channelHub<T>(parts: ChannelHubParts<T>): ChannelHub<T> {
  const { channel, live, platform } = parts
  const window = eventWindow<T>(parts.limits)
  const members = new Set<Member<T>>()
  const life = new AbortController()
  let accepted = false
  /** The live subscription has reached a position: what it resumes from. */
  let positioned = false
  /** When a replay began that the live subscription is still bringing. */
  let replayingSince = 0
  /** The live subscription is bringing what is older than itself. */
  let replaying = parts.begin !== 'new' && parts.begin !== 'off'
  let running: CatchUp<T> | undefined
  let serving: Promise<void> | undefined

  const of = (type: Member<T>['place']['type']): Member<T>[] => [...members].filter(({ place }) => place.type === type)
  const at = (member: Member<T>, number: number): void => {
    member.place = { type: 'window', window, number }
    if (member.position === 'new' || member.position === 'off') member.position = { hub: parts.name, number }
    member.notices.push({ type: 'subscribed', from: member.position })
    member.ready()
  }
  const gapFor = (member: Member<T>, reason: ReplayGapReason, from: ReplayId | undefined): void => {
    member.notices.push({ type: 'gap', reason, from, to: parts.fallback, own: true })
    member.position = parts.fallback
  }

  /** Finds the place of a reader by its position; leaves it where it is when that has to come by first. */
  const settle = (member: Member<T>): void => {
    if (!accepted) return
    if (isMark(member.position)) {
      const { hub, number } = member.position
      if (hub === parts.name && number >= window.start && number <= window.end) return at(member, number)
      gapFor(member, 'no-position', undefined)
    }
    const { position } = member
    if (position === 'new' || position === 'off') {
      // What is being replayed is older than what it asks for.
      if (!replaying) at(member, window.end)
      return
    }
    if (position === parts.begin && window.start === 0) return at(member, 0)
    const next = position === 'all' ? undefined : window.after(position as ReplayId)
    if (next !== undefined) return at(member, next)
    if (replaying) return
    const inReplay = position === 'all' ? undefined : running?.numberAfter(position as ReplayId)
    if (inReplay !== undefined) return running?.join(member, inReplay)
    member.place = { type: 'queued' }
    member.notices.push({ type: 'waiting' })
    member.ready()
    // A reader that wants no replay has left by now.
    if (of('queued').length > 0) serving ??= serve()
  }
  const push = (items: readonly WindowItem<T>[]): void => {
    window.push(items)
    for (const member of members) if (member.place.type === 'window' && member.place.window === window) member.ready()
  }
  const settlePending = (): void => {
    for (const member of of('pending')) settle(member)
  }

  /** The one to begin with: all that is retained, else the oldest. Ids have no order; a wrong guess only costs another replay. */
  const oldest = (queued: readonly Member<T>[]): ReplayId | 'all' => {
    const positions = queued.map(({ position }) => replayable(position))
    const before = (a: ReplayId | 'all', b: ReplayId | 'all'): boolean => a === 'all' || (b !== 'all' && BigInt(a) < BigInt(b))
    return positions.reduce((first, position) => (before(position, first) ? position : first))
  }

  const replay = async (): Promise<void> => {
    const from = oldest(of('queued'))
    const current = catchUp<T>({
      channel,
      from,
      live: window,
      connect: parts.connect,
      org: () => live.org(),
      wrap: parts.wrap,
      stallMs: parts.stallMs,
      platform,
      reached(replayed, positions) {
        const next = new Map(positions.map(({ position, next }) => [String(position), next]))
        for (const member of of('queued')) {
          const number = next.get(String(member.position))
          if (number !== undefined) replayed.join(member, number)
        }
      },
    })
    running = current
    for (const member of of('queued')) if (String(replayable(member.position)) === String(from)) current.join(member, 0)
    try {
      await current.run(life.signal)
    } catch {
      // Its readers know.
    } finally {
      running = undefined
    }
  }

  const serve = async (): Promise<void> => {
    try {
      while (of('queued').length > 0 && !life.signal.aborted) {
        const leave = await parts.replays.enter(life.signal)
        try {
          await sleep(replayPauseMs, life.signal, platform)
          if (of('queued').length > 0) await replay()
        } finally {
          leave()
        }
      }
    } catch {
      // Closed.
    } finally {
      serving = undefined
    }
  }

  const caughtUp = (): void => {
    if (!replaying) return
    replaying = false
    settlePending()
  }
  /** Quiet for long enough, counted anew with each call. */
  let cancelQuiet = (): void => {}
  const awaitQuiet = (): void => {
    cancelQuiet()
    // Where the clocks differ, and events never cease, nothing else would tell.
    const leftMs = replayingSince + maxReplayingMs - live.now()
    if (replaying) cancelQuiet = platform.delay(caughtUp, Math.max(0, Math.min(quietMs, leftMs)))
  }

  const resubscribed = (): void => {
    push([{ type: 'resubscribed' }])
    if (positioned) return
    // It begins with all that is retained: who has a position waits until that comes by.
    replaying = true
    replayingSince = live.now()
    awaitQuiet()
    for (const member of members) {
      const { place, position } = member
      if (place.type === 'window' && place.window === window && !isMark(position)) member.place = { type: 'pending' }
    }
  }

  const follow = async (): Promise<void> => {
    try {
      let newest: string | undefined
      const wrap = (event: StreamEvent): { value: T; bytes: number } => {
        newest = event.createdDate
        return parts.wrap(event)
      }
      const subscription = readThrough(live, channel, { replay: parts.begin, signal: life.signal })
      await subscription.ready
      accepted = true
      replayingSince = live.now()
      settlePending()
      awaitQuiet()
      for await (const batch of eventBatches(subscription, wrap)) {
        positioned ||= batch.some(({ position }) => position !== undefined)
        push(batch)
        if (replaying) {
          if ((dateMs(newest) ?? 0) > replayingSince) caughtUp()
          else awaitQuiet()
          settlePending()
        }
        running?.compare()
      }
      throw new StateError({
        code: 'client_stopped',
        channel,
        message: `The client that held ${channel} has stopped.`,
        remediation: 'It is begun again when the channel is asked for again.',
        retryable: true,
      })
    } finally {
      cancelQuiet()
    }
  }

  follow().catch((error: unknown) => {
    if (life.signal.aborted) return
    life.abort(error)
    for (const member of members) {
      member.notices.push({ type: 'failed', error })
      member.place = { type: 'ended' }
      member.ready()
    }
    parts.failed(error)
  })

  /** A live session that began anew without a position brings again what a replay has brought before. */
  const skipKnown = ({ position }: Member<T>, place: { window: EventWindow<T>; number: number }): void => {
    const next = isMark(position) || position === 'all' ? undefined : place.window.after(position as ReplayId)
    if (next !== undefined && next > place.number) place.number = next
  }
  const take = (member: Member<T>, maxBytes: number): HubItem<T>[] => {
    const items: HubItem<T>[] = member.notices
    member.notices = []
    let bytes = 0
    while (bytes < maxBytes) {
      const { place } = member
      if (place.type === 'fallen') member.place = { type: 'pending' }
      if (place.type === 'pending' || place.type === 'fallen') {
        settle(member)
        if (member.place.type !== 'window') break
        continue
      }
      if (place.type !== 'window') break
      if (!place.isRead) skipKnown(member, place)
      if (place.number < place.window.start) {
        place.onward?.taken()
        member.place = { type: 'fallen' }
        if (isMark(member.position)) gapFor(member, 'no-position', undefined)
        continue
      }
      if (place.number === place.window.end) {
        place.onward?.taken()
        const to = place.onward?.to
        if (to === undefined) break
        if (place.onward?.blind) items.push({ type: 'resubscribed' })
        // What the live session brings meanwhile is older: where this reader goes on has to come by.
        const isOlder = place.onward?.blind && replaying
        member.place = to === 'nowhere' || isOlder ? { type: 'fallen' } : { type: 'window', window, number: to }
        continue
      }
      place.isRead = true
      const item = place.window.at(place.number++) as HubItem<T>
      items.push(item)
      if (item.type !== 'event') continue
      bytes += item.bytes
      if (item.position !== undefined) member.position = item.position
    }
    if (member.place.type === 'window') member.place.onward?.taken()
    if (member.notices.length > 0) items.push(...member.notices.splice(0))
    return items
  }

  return {
    open(from, ready) {
      const member: Member<T> = { position: from, place: { type: 'pending' }, notices: [], ready }
      members.add(member)
      settle(member)
      return {
        take: (maxBytes) => take(member, maxBytes),
        get number() {
          const { place } = member
          return place.type === 'window' && place.window === window ? place.number : undefined
        },
        close() {
          members.delete(member)
          const { place } = member
          member.place = { type: 'ended' }
          if (place.type === 'window') place.onward?.left()
        },
      }
    },
    gap: (gap) => push([{ type: 'gap', own: false, ...gap }]),
    resubscribed,
    async close() {
      life.abort(new Error('closed'))
      await serving
    },
  }
}
