import { deferred } from '../async/deferred.ts'
import { linkedController } from '../async/signals.ts'
import { sleep } from '../async/sleep.ts'
import { untilAborted } from '../async/until-aborted.ts'
import type { ClientStatus } from '../client-status.ts'
import { StateError } from '../errors.ts'
import type { ReplayId } from '../events/stream-event.ts'
import type { Platform } from '../platform.ts'
import type { StreamingClient } from '../streaming-client.ts'
import { eventBatches, type Wrap } from './event-batches.ts'
import { type EventWindow, eventWindow } from './event-window.ts'
import type { Member, Onward } from './hub-reader.ts'
import { readThrough } from './read-through.ts'

/** Never drops what has not been read: the next batch waits until all have read the one before. */
const maxEvents = 2_000
/** More than one batch can have, or its first events would be dropped unread: 1 MB, or two messages of 16 MB. [PROTOCOL T2] */
const maxBytes = 67_108_864

export interface CatchUpParts<T> {
  channel: string
  from: ReplayId | 'all'
  live: EventWindow<T>
  connect(): StreamingClient
  /** Names the org that `from` is a position of. */
  org(): Promise<string>
  wrap: Wrap<T>
  /** The slowest reader holds a replay up for this long; then it is left behind. */
  stallMs: number
  platform: Platform
  /** Events have come, and reached these positions. */
  reached(catchUp: CatchUp<T>, positions: readonly { position: ReplayId; next: number }[]): void
}

/**
 * One replay, for readers whose position the live window does not hold: a session of its own, until an event is met that the live
 * window holds too. Readers share its window, and the slowest sets the pace for as long as `stallMs` allow.
 */
export interface CatchUp<T> {
  /** Where a reader of that position can go on here, while the replay lasts. */
  numberAfter(position: ReplayId): number | undefined
  /** Takes a reader in at a number of the window. */
  join(member: Member<T>, number: number): void
  /** The live window has grown: what was met here may have come there. */
  compare(): void
  /** Runs until the hand-over. Rejects when the replay fails. */
  run(signal: AbortSignal): Promise<void>
}

export function catchUp<T>(parts: CatchUpParts<T>): CatchUp<T> {
  const { channel, from, live, platform } = parts
  const window = eventWindow<T>({ maxEvents, maxBytes })
  const members = new Set<Member<T>>()
  let accepted = false
  /** How far it has come. */
  let last = from === 'all' ? undefined : from
  let isEmpty = true
  /** What has come ends with a position, and not amid the events of one. */
  let isWhole = true
  let to: Onward['to']
  let blind = false
  let eased = deferred<void>()
  let finish = (): void => {}
  const onward: Onward = {
    get to() {
      return to
    },
    get blind() {
      return blind
    },
    taken: () => eased.resolve(),
    left() {
      eased.resolve()
      abandon()
    },
  }

  /** Those who still read here. */
  const present = (): Member<T>[] => {
    for (const member of members) {
      if (member.place.type !== 'window' || member.place.window !== window) members.delete(member)
    }
    return [...members]
  }
  const numberOf = ({ place }: Member<T>): number => (place.type === 'window' ? place.number : 0)
  const wake = (): void => {
    for (const member of present()) member.ready()
  }
  const handOver = (number: number | 'nowhere'): void => {
    to ??= number
    finish()
    wake()
  }
  /** Nobody reads any more: what is replayed counts against the org's allocation, and others may wait. */
  const abandon = (): void => {
    if (present().length === 0) handOver('nowhere')
  }
  const compare = (): void => {
    const met = !isWhole || last === undefined ? undefined : live.after(last)
    if (met !== undefined && to === undefined) handOver(met)
  }
  /** Waits until all have read everything, or those who have not have stood still for too long. */
  const room = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      const behind = present().filter((member) => numberOf(member) < window.end)
      if (behind.length === 0 || signal.aborted) return
      const before = behind.map(numberOf)
      eased = deferred()
      const { controller: wait, release } = linkedController(signal)
      const stalled = sleep(parts.stallMs, wait.signal, platform).then(
        () => true,
        () => false,
      )
      const isStalled = await Promise.race([eased.promise.then(() => false), stalled])
      wait.abort()
      release()
      if (!isStalled) continue
      behind.forEach((member, at) => {
        if (numberOf(member) === before[at] && member.place.type === 'window') member.place = { type: 'fallen' }
      })
    }
  }

  /** A login may lead elsewhere than that of the live session did, and there the same ids are other events. */
  const checkOrg = async (client: StreamingClient, signal: AbortSignal): Promise<void> => {
    const [there, here] = await untilAborted(Promise.all([client.org(), parts.org()]), signal)
    if (there === here) return
    throw new StateError({
      code: 'client_stopped',
      channel,
      message: `A replay of ${channel} has logged in to another org than the session is in.`,
      remediation: 'Log in to one org with all clients that are made for it.',
      retryable: true,
    })
  }
  const replay = async (client: StreamingClient, signal: AbortSignal): Promise<void> => {
    try {
      await checkOrg(client, signal)
      const subscription = readThrough(client, channel, { replay: from, until: 'caught-up', signal })
      // An event of before the live subscription must not end it for its date. [PROTOCOL L3]
      subscription.quietOnly = true
      subscription.ready.then(
        () => {
          accepted = true
          for (const member of present()) {
            member.notices.push({ type: 'subscribed', from: member.position })
            member.ready()
          }
        },
        () => {},
      )
      for await (const batch of eventBatches(subscription, parts.wrap)) {
        isEmpty = false
        const first = window.end
        window.push(batch)
        const reached: { position: ReplayId; next: number }[] = []
        batch.forEach(({ position }, at) => {
          if (position === undefined) return
          last = position
          reached.push({ position, next: first + at + 1 })
        })
        isWhole = batch.at(-1)?.position !== undefined
        parts.reached(catchUp, reached)
        wake()
        compare()
        abandon()
        if (signal.aborted) return
        await room(signal)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  const catchUp: CatchUp<T> = {
    numberAfter(position) {
      const number = to === undefined ? window.after(position) : undefined
      return number !== undefined && number >= window.start ? number : undefined
    },
    join(member, number) {
      members.add(member)
      member.place = { type: 'window', window, number, onward }
      if (accepted) member.notices.push({ type: 'subscribed', from: member.position })
      member.ready()
    },
    compare,
    async run(signal) {
      const { controller: own, release } = linkedController(signal)
      finish = () => own.abort(new Error('handed over'))
      let client: StreamingClient | undefined
      let watching: Promise<void> | undefined
      const watch = async (gaps: AsyncIterable<ClientStatus>): Promise<void> => {
        for await (const status of gaps) {
          if (status.type !== 'replayGap' || status.channel !== channel) continue
          const { type: _, channel: __, ...gap } = status
          window.push([{ type: 'gap', own: true, ...gap }])
          wake()
        }
      }
      try {
        client = parts.connect()
        watching = watch(client.status())
        await replay(client, own.signal)
        if (signal.aborted || to !== undefined) return
        compare()
        if (to !== undefined) return
        blind = true
        // The org has nothing more to replay: all that came since is in the live window, if that still begins where it began.
        if (live.start === 0) handOver(0)
        else if (!isEmpty) handOver('nowhere')
        else {
          window.push([{ type: 'gap', reason: 'no-position', from: from === 'all' ? undefined : from, to: 'new', own: true }])
          handOver(live.start)
        }
      } catch (error) {
        for (const member of present()) {
          member.notices.push({ type: 'failed', error })
          member.place = { type: 'ended' }
          member.ready()
        }
        throw error
      } finally {
        to ??= 'nowhere'
        release()
        await client?.stop().catch(() => {})
        await watching
        wake()
      }
    },
  }
  return catchUp
}
