import { deferred } from '../async/deferred.ts'
import { linkedController } from '../async/signals.ts'
import { untilAborted } from '../async/until-aborted.ts'
import type { ClientStatus, ReplayGapReason } from '../client-status.ts'
import { LimitError, ReplayError, type SfStreamError } from '../errors.ts'
import { dateMs, eventFields, identityOf, kindOfChannel, retentionMs } from '../events/event-fields.ts'
import type { ReplayId } from '../events/stream-event.ts'
import type { CommonOptions } from '../options.ts'
import type { Platform } from '../platform.ts'
import type { Batch, Source, StartPosition } from '../source/source.ts'
import { identities } from './identities.ts'
import type { Channel, Member } from './member.ts'

/** Clocks differ, and the org may log an event minutes after its date. [PROTOCOL D2] */
const gapToleranceMs = 5 * 60_000

export interface ChannelStreamParts {
  source: Source
  platform: Platform
  replayFallback: NonNullable<CommonOptions['replayFallback']>
  gap: NonNullable<CommonOptions['gap']>
  report(status: ClientStatus): void
  /** Where to begin in an org: the stored position, or what the caller asked for. */
  begin(org: string, changedFrom: string | undefined): Promise<StartPosition>
  /** Members may be over their marks, or have room again. */
  pressure(stream: ChannelStream): void
  ended(stream: ChannelStream): void
}

/**
 * One channel of one client: opens it, keeps it open across lost sessions, pauses and refused positions, and hands
 * every event to its members. The loop in `run` is the only place where a channel is opened, so none is ever forgotten.
 */
export interface ChannelStream extends Channel {
  readonly members: ReadonlySet<Member>
  join(member: Member): void
  start(): void
  /** Gives the channel back to the org until there is room; resumes after the last event received. */
  pause(): void
  resume(): void
  readonly paused: boolean
}

export function channelStream(name: string, parts: ChannelStreamParts): ChannelStream {
  const { source, platform, report } = parts
  const kind = kindOfChannel(name)
  const members = new Set<Member>()
  const life = new AbortController()
  const known = identities()
  let feed: AbortController | undefined
  let roomAgain: ReturnType<typeof deferred<void>> | undefined
  let org: string | undefined
  let accepted = false
  let firstAcceptedAt: number | undefined
  /** The last event received, kept or dropped: where to go on from. */
  let last: ReplayId | undefined
  let gapReplayed = false
  let replayingGap = false
  let lagging = false

  const gapReport = (reason: ReplayGapReason, from: ReplayId | undefined, to: StartPosition, error?: SfStreamError): void =>
    report({ type: 'replayGap', channel: name, reason, from, to, ...(error ? { error } : {}) })

  /** Where to open the channel again after a feed that began at `from` has ended. */
  const onward = (from: StartPosition, wasAccepted: boolean): StartPosition => {
    if (last !== undefined) return last
    if (from === 'off' && wasAccepted) gapReport('no-position', undefined, 'off')
    if (from !== 'new' || !wasAccepted) return from
    if (parts.gap === 'report' || gapReplayed) {
      gapReport('no-position', undefined, 'new')
      return 'new'
    }
    gapReplayed = true
    replayingGap = true
    return 'all'
  }

  /** Where to go on after a refusal, or the refusal itself. */
  const afterRefusal = (from: StartPosition, error: unknown): StartPosition => {
    if (error instanceof LimitError && replayingGap && from === 'all') {
      gapReport('limit', undefined, 'new', error)
      return 'new'
    }
    const isPosition = from !== 'all' && from !== 'new' && from !== 'off'
    if (!(error instanceof ReplayError) || !isPosition || parts.replayFallback === 'fail') throw error
    last = undefined
    known.forgetReplayIds()
    gapReport('position-refused', from, parts.replayFallback, error)
    return parts.replayFallback
  }

  const receive = (batch: Batch): void => {
    for (const message of batch.messages) {
      const fields = eventFields(message, kind)
      if (known.repeats(identityOf(fields))) {
        for (const member of members) member.repeated()
        continue
      }
      const drop = replayingGap && isBeforeStart(fields.createdDate)
      for (const member of members) member.receive(message, fields, batch.bytesEach, drop)
    }
    const openId = remember(batch)
    for (const member of members) member.replyEnded(openId)
    checkLag(batch)
    parts.pressure(stream)
  }

  /** Moves `last`; after a cut reply, only to before the group that may be incomplete. Returns that group's id. */
  const remember = ({ messages, complete }: Batch): ReplayId | undefined => {
    let final: ReplayId | undefined
    for (let at = messages.length - 1; at >= 0; at--) {
      const { replayId } = eventFields(messages[at] as Batch['messages'][number], kind)
      if (replayId === undefined) continue
      if (complete) {
        last = replayId
        return undefined
      }
      final ??= replayId
      if (replayId !== final) {
        last = replayId
        return final
      }
    }
    return final
  }

  const isBeforeStart = (createdDate: string | undefined): boolean => {
    const at = dateMs(createdDate)
    return at !== undefined && firstAcceptedAt !== undefined && at < firstAcceptedAt - gapToleranceMs
  }

  const checkLag = ({ messages }: Batch): void => {
    const [first] = messages
    const at = first && dateMs(eventFields(first, kind).createdDate)
    if (at === undefined) return
    const lagMs = platform.now() - at
    const limit = retentionMs(name)
    if (lagMs > limit / 2 && !lagging) report({ type: 'lagging', channel: name, lagMs, retentionMs: limit })
    lagging = lagMs > limit / 2
  }

  /** One opening of the channel; resolves with whether the org accepted it. */
  const consume = async (position: StartPosition, again: boolean): Promise<boolean> => {
    const { controller, release } = linkedController(life.signal)
    feed = controller
    let was = false
    try {
      const room = (): number => {
        let least = Number.POSITIVE_INFINITY
        for (const member of members) least = Math.min(least, member.room())
        return least
      }
      const opened = source.open({
        channel: name,
        position,
        signal: controller.signal,
        room,
        failOnLimit: replayingGap && position === 'all',
      })
      opened.accepted.then(
        (ok) => {
          if (!ok || controller.signal.aborted) return
          was = accepted = true
          firstAcceptedAt ??= platform.now()
          for (const member of members) member.accepted()
          if (again) report({ type: 'resubscribed', channel: name, from: position })
        },
        () => {},
      )
      const batches = opened.batches[Symbol.asyncIterator]()
      for (let next = await batches.next(); !next.done; next = await batches.next()) {
        was = true
        receive(next.value)
      }
      return was
    } finally {
      accepted = false
      feed = undefined
      release()
    }
  }

  const run = async (): Promise<void> => {
    const { signal } = life
    let from: StartPosition | undefined
    for (let again = false; !signal.aborted; again = true) {
      const now = await untilAborted(source.org(), signal)
      if (from === undefined || now !== org) {
        if (org !== undefined) {
          last = undefined
          known.forgetReplayIds()
        }
        from = await untilAborted(parts.begin(now, org), signal)
        if (org !== undefined) gapReport('other-org', undefined, from)
        org = now
      }
      // Looked at last: a pause may have come while the org or the store was asked.
      while (roomAgain) await untilAborted(roomAgain.promise, signal)
      if (again) known.resubscribed()
      const start: StartPosition = from
      try {
        const wasAccepted = await consume(start, again)
        if (!signal.aborted) from = onward(start, wasAccepted || firstAcceptedAt !== undefined)
      } catch (error) {
        from = afterRefusal(start, error)
      }
    }
  }

  const stream: ChannelStream = {
    name,
    members,
    get live() {
      return accepted && source.live
    },
    get paused() {
      return roomAgain !== undefined
    },
    join(member) {
      members.add(member)
      if (accepted) member.accepted()
    },
    start() {
      run()
        .catch((error: unknown) => {
          if (life.signal.aborted) return
          for (const member of [...members]) member.fail(error)
        })
        .finally(() => parts.ended(stream))
    },
    pause() {
      if (roomAgain) return
      roomAgain = deferred()
      feed?.abort(new Error('paused'))
    },
    resume() {
      roomAgain?.resolve()
      roomAgain = undefined
    },
    taken: () => parts.pressure(stream),
    leave(member) {
      if (!members.delete(member)) return
      if (members.size > 0) return parts.pressure(stream)
      life.abort(new Error('closed'))
      parts.ended(stream)
    },
  }
  return stream
}
