import { type Deferred, deferred } from '../async/deferred.ts'
import { linkedController } from '../async/signals.ts'
import { untilAborted } from '../async/until-aborted.ts'
import type { ClientStatus } from '../client-status.ts'
import { LimitError, ReplayError, type SfStreamError } from '../errors.ts'
import { dateMs, eventFields, identityOf, kindOfChannel, retentionMs } from '../events/event-fields.ts'
import type { ReplayId } from '../events/stream-event.ts'
import type { CommonOptions } from '../options.ts'
import type { Platform } from '../platform.ts'
import type { Batch, Source, StartPosition } from '../source/source.ts'
import type { ReplayGapReason } from '../source/source-status.ts'
import { identities } from './identities.ts'
import type { Channel, Member } from './member.ts'
import type { Pressure } from './pressure.ts'

/** Clocks differ, and the org may log an event minutes after its date. [PROTOCOL D2] */
const gapToleranceMs = 5 * 60_000

export interface ChannelStreamParts {
  source: Source
  platform: Platform
  replayFallback: NonNullable<CommonOptions['replayFallback']>
  gap: NonNullable<CommonOptions['gap']>
  report(status: ClientStatus): void
  /** Where to begin in an org: the stored position, or what the caller asked for. */
  begin(org: string, changedFrom: string | undefined, signal: AbortSignal): Promise<StartPosition>
  /** A full replay for want of a position is made once per channel, however often the channel is opened. */
  mayReplayGap(): boolean
  pressure: Pressure
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
  pressed: boolean
}

export function channelStream(name: string, parts: ChannelStreamParts): ChannelStream {
  const { source, platform, report } = parts
  const kind = kindOfChannel(name)
  const members = new Set<Member>()
  const orgNow = (): number => source.now?.() ?? platform.now()
  const life = new AbortController()
  const known = identities()
  let feed: AbortController | undefined
  let roomAgain: Deferred<void> | undefined
  let org: string | undefined
  let accepted = false
  let firstAcceptedAt: number | undefined
  /** The last event received, kept or dropped: where to go on from. */
  let last: ReplayId | undefined
  /** Set while events from before the first acceptance are to be dropped: when that replay was asked for. */
  let gapReplayAt: number | undefined
  let lagging = false

  const gapReport = (reason: ReplayGapReason, from: ReplayId | undefined, to: StartPosition, error?: SfStreamError): void =>
    report({ type: 'replayGap', channel: name, reason, from, to, ...(error ? { error } : {}) })

  /** Where to open the channel again after a feed that began at `from` has ended. */
  const onward = (from: StartPosition, wasAccepted: boolean): StartPosition => {
    if (from === 'off') {
      // Asked never to replay: what was missed meanwhile is not known.
      if (wasAccepted) gapReport('no-position', last, 'off')
      return 'off'
    }
    if (last !== undefined) return last
    // A replay of which nothing came has cost nothing: it is asked for again.
    if (!wasAccepted || from !== 'new') return from
    if (parts.gap === 'replay' && parts.mayReplayGap()) {
      gapReplayAt = orgNow()
      return 'all'
    }
    gapReport('no-position', undefined, 'new')
    return 'new'
  }

  /** Where to go on after a refusal, or the refusal itself. */
  const afterRefusal = (from: StartPosition, error: unknown): StartPosition => {
    if (error instanceof LimitError && gapReplayAt !== undefined && from === 'all') {
      gapReplayAt = undefined
      gapReport('limit', undefined, 'new', error)
      return 'new'
    }
    const isPosition = from !== 'all' && from !== 'new' && from !== 'off'
    if (!(error instanceof ReplayError) || !isPosition || parts.replayFallback === 'fail') throw error
    startOver()
    gapReport('position-refused', from, parts.replayFallback, error)
    return parts.replayFallback
  }

  /** Positions known so far mean nothing any more. */
  const startOver = (): void => {
    last = undefined
    firstAcceptedAt = undefined
    gapReplayAt = undefined
    known.forgetReplayIds()
  }

  /**
   * A reply that broke off inside its first group, before any position was known, is left out: everything is asked for again,
   * and what stands before that group would come after it.
   */
  const certain = ({ messages, complete }: Batch): Batch['messages'] => {
    const open = messages.at(-1)
    if (complete || last !== undefined || !open) return messages
    const { replayId } = eventFields(open, kind)
    return messages.every((message) => eventFields(message, kind).replayId === replayId) ? [] : messages
  }

  const receive = (batch: Batch): void => {
    const { bytesEach, complete } = batch
    const messages = certain(batch)
    if (batch.repeats) known.resubscribed()
    let previous: ReplayId | undefined
    let beforeGroup: ReplayId | undefined
    let firstDate: string | undefined
    for (const message of messages) {
      const fields = eventFields(message, kind)
      firstDate ??= fields.createdDate
      const { replayId } = fields
      if (replayId !== undefined && replayId !== previous) {
        beforeGroup = previous
        previous = replayId
      }
      if (known.repeats(identityOf(fields))) {
        for (const member of members) member.repeated()
        continue
      }
      const drop = gapReplayAt !== undefined && isBeforeStart(fields.createdDate, gapReplayAt)
      for (const member of members) member.receive(message, fields, bytesEach, drop)
    }
    // After a cut reply, only to before the group that may be incomplete.
    const reached = complete ? previous : beforeGroup
    if (reached !== undefined) last = reached
    for (const member of members) member.replyEnded(complete ? undefined : previous)
    checkLag(firstDate)
    parts.pressure.check(stream)
  }

  /** Whether an event of the replay that stands in for a position is older than what was asked for at first. */
  const isBeforeStart = (createdDate: string | undefined, replayAt: number): boolean => {
    const at = dateMs(createdDate)
    if (at === undefined || firstAcceptedAt === undefined) return false
    if (at >= replayAt) gapReplayAt = undefined
    return at < firstAcceptedAt - gapToleranceMs
  }

  const checkLag = (createdDate: string | undefined): void => {
    const at = dateMs(createdDate)
    if (at === undefined) return
    const lagMs = orgNow() - at
    const limit = retentionMs(name)
    if (lagMs > limit / 2 && !lagging) report({ type: 'lagging', channel: name, lagMs, retentionMs: limit })
    lagging = lagMs > limit / 2
  }

  const room = (bytes: number): number => {
    let least = Number.POSITIVE_INFINITY
    for (const member of members) least = Math.min(least, member.room(bytes))
    return least
  }

  /** One opening of the channel; resolves with whether the org accepted it. */
  const consume = async (position: StartPosition, again: boolean): Promise<boolean> => {
    const { controller, release } = linkedController(life.signal)
    feed = controller
    let was = false
    try {
      const failOnLimit = gapReplayAt !== undefined && position === 'all'
      const opened = source.open({ channel: name, position, signal: controller.signal, room, failOnLimit })
      opened.accepted.then(
        (ok) => {
          if (!ok || controller.signal.aborted || feed !== controller) return
          was = accepted = true
          firstAcceptedAt ??= orgNow()
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
    let opened = false
    while (!signal.aborted) {
      if (roomAgain) await untilAborted(roomAgain.promise, signal)
      const now = await untilAborted(source.org(), signal)
      if (from === undefined || now !== org) {
        if (org !== undefined) startOver()
        from = await parts.begin(now, org, signal)
        if (org !== undefined) gapReport('other-org', undefined, from)
        org = now
      }
      if (roomAgain) continue
      if (opened) known.resubscribed()
      const start: StartPosition = from
      try {
        const wasAccepted = await consume(start, opened)
        if (!signal.aborted) from = onward(start, wasAccepted)
      } catch (error) {
        from = afterRefusal(start, error)
      }
      opened = true
    }
  }

  const stream: ChannelStream = {
    name,
    now: orgNow,
    members,
    get live() {
      return accepted && source.live && !parts.pressure.holding
    },
    get paused() {
      return roomAgain !== undefined
    },
    pressed: false,
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
    filled: () => {
      if (!stream.pressed) parts.pressure.check(stream)
    },
    eased: () => parts.pressure.eased(stream),
    parked: parts.pressure.consumerWaits,
    leave(member) {
      if (!members.delete(member)) return
      if (members.size > 0) return parts.pressure.eased(stream)
      life.abort(new Error('closed'))
      parts.ended(stream)
    },
  }
  return stream
}
