import { type Deferred, deferred } from '../async/deferred.ts'
import { untilAborted } from '../async/until-aborted.ts'
import type { ClientStatus } from '../client-status.ts'
import { LimitError, ReplayError, type SfStreamError } from '../errors.ts'
import { dateMs, eventFields, identityOf, kindOfChannel, retentionMs } from '../events/event-fields.ts'
import type { EventKind, ReplayId } from '../events/stream-event.ts'
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
  return new OpenChannel(name, parts)
}

/** A class, because a client may have hundreds: what they share is not kept for each. */
class OpenChannel implements ChannelStream {
  readonly name: string
  readonly members = new Set<Member>()
  pressed = false
  readonly #parts: ChannelStreamParts
  readonly #kind: EventKind
  readonly #known = identities()
  /** Ends what is waited for now; a new one for each opening. */
  #turn = new AbortController()
  #opening = false
  #closed = false
  #roomAgain: Deferred<void> | undefined
  #org: string | undefined
  #accepted = false
  #firstAcceptedAt: number | undefined
  /** The last event received, kept or dropped: where to go on from. */
  #last: ReplayId | undefined
  /** Set while events from before the first acceptance are to be dropped: when that replay was asked for. */
  #gapReplayAt: number | undefined
  #lagging = false

  constructor(name: string, parts: ChannelStreamParts) {
    this.name = name
    this.#parts = parts
    this.#kind = kindOfChannel(name)
  }

  get live(): boolean {
    return this.#accepted && this.#parts.source.live && !this.#parts.pressure.holding
  }

  get paused(): boolean {
    return this.#roomAgain !== undefined
  }

  now(): number {
    const { source, platform } = this.#parts
    return source.now?.() ?? platform.now()
  }

  join(member: Member): void {
    this.members.add(member)
    if (this.#accepted) member.accepted()
  }

  start(): void {
    this.#run()
      .catch((error: unknown) => {
        if (this.#closed) return
        for (const member of [...this.members]) member.fail(error)
      })
      .finally(() => this.#parts.ended(this))
  }

  pause(): void {
    if (this.#roomAgain) return
    this.#roomAgain = deferred()
    if (this.#opening) this.#turn.abort(new Error('paused'))
  }

  resume(): void {
    this.#roomAgain?.resolve()
    this.#roomAgain = undefined
  }

  filled(): void {
    if (!this.pressed) this.#parts.pressure.check(this)
  }

  eased(): void {
    this.#parts.pressure.eased(this)
  }

  parked(): void {
    this.#parts.pressure.consumerWaits()
  }

  leave(member: Member): void {
    if (!this.members.delete(member)) return
    if (this.members.size > 0) return this.eased()
    this.#closed = true
    this.#turn.abort(new Error('closed'))
    this.#parts.ended(this)
  }

  // --- where to go on ---------------------------------------------------------------------------------------------

  #gapReport(reason: ReplayGapReason, from: ReplayId | undefined, to: StartPosition, error?: SfStreamError): void {
    this.#parts.report({ type: 'replayGap', channel: this.name, reason, from, to, ...(error ? { error } : {}) })
  }

  /** Where to open the channel again after a feed that began at `from` has ended. */
  #onward(from: StartPosition, wasAccepted: boolean): StartPosition {
    if (from === 'off') {
      // Asked never to replay: what was missed meanwhile is not known.
      if (wasAccepted) this.#gapReport('no-position', this.#last, 'off')
      return 'off'
    }
    if (this.#last !== undefined) return this.#last
    // A replay of which nothing came has cost nothing: it is asked for again.
    if (!wasAccepted || from !== 'new') return from
    if (this.#parts.gap === 'replay' && this.#parts.mayReplayGap()) {
      this.#gapReplayAt = this.now()
      return 'all'
    }
    this.#gapReport('no-position', undefined, 'new')
    return 'new'
  }

  /** Where to go on after a refusal, or the refusal itself. */
  #afterRefusal(from: StartPosition, error: unknown): StartPosition {
    if (error instanceof LimitError && this.#gapReplayAt !== undefined && from === 'all') {
      this.#gapReplayAt = undefined
      this.#gapReport('limit', undefined, 'new', error)
      return 'new'
    }
    const { replayFallback } = this.#parts
    const isPosition = from !== 'all' && from !== 'new' && from !== 'off'
    if (!(error instanceof ReplayError) || !isPosition || replayFallback === 'fail') throw error
    this.#startOver()
    this.#gapReport('position-refused', from, replayFallback, error)
    return replayFallback
  }

  /** Positions known so far mean nothing any more. */
  #startOver(): void {
    this.#last = undefined
    this.#firstAcceptedAt = undefined
    this.#gapReplayAt = undefined
    this.#known.forgetReplayIds()
  }

  // --- receiving --------------------------------------------------------------------------------------------------

  /**
   * A reply that broke off inside its first group, before any position was known, is left out: everything is asked for again,
   * and what stands before that group would come after it.
   */
  #certain({ messages, complete }: Batch): Batch['messages'] {
    const open = messages.at(-1)
    if (complete || this.#last !== undefined || !open) return messages
    const { replayId } = eventFields(open, this.#kind)
    return messages.every((message) => eventFields(message, this.#kind).replayId === replayId) ? [] : messages
  }

  #receive(batch: Batch): void {
    const { bytesEach, complete } = batch
    const { members } = this
    const messages = this.#certain(batch)
    if (batch.repeats) this.#known.resubscribed()
    let previous: ReplayId | undefined
    let beforeGroup: ReplayId | undefined
    let firstDate: string | undefined
    for (const message of messages) {
      const fields = eventFields(message, this.#kind)
      firstDate ??= fields.createdDate
      const { replayId } = fields
      if (replayId !== undefined && replayId !== previous) {
        beforeGroup = previous
        previous = replayId
      }
      if (this.#known.repeats(identityOf(fields))) {
        for (const member of members) member.repeated()
        continue
      }
      const drop = this.#gapReplayAt !== undefined && this.#isBeforeStart(fields.createdDate, this.#gapReplayAt)
      for (const member of members) member.receive(message, fields, bytesEach, drop)
    }
    // After a cut reply, only to before the group that may be incomplete.
    const reached = complete ? previous : beforeGroup
    if (reached !== undefined) this.#last = reached
    for (const member of members) member.replyEnded(complete ? undefined : previous)
    this.#checkLag(firstDate)
    this.#parts.pressure.check(this)
  }

  /** Whether an event of the replay that stands in for a position is older than what was asked for at first. */
  #isBeforeStart(createdDate: string | undefined, replayAt: number): boolean {
    const at = dateMs(createdDate)
    if (at === undefined || this.#firstAcceptedAt === undefined) return false
    if (at >= replayAt) this.#gapReplayAt = undefined
    return at < this.#firstAcceptedAt - gapToleranceMs
  }

  #checkLag(createdDate: string | undefined): void {
    const at = dateMs(createdDate)
    if (at === undefined) return
    const lagMs = this.now() - at
    const limit = retentionMs(this.name)
    const lags = lagMs > limit / 2
    if (lags && !this.#lagging) this.#parts.report({ type: 'lagging', channel: this.name, lagMs, retentionMs: limit })
    this.#lagging = lags
  }

  #room(bytes: number): number {
    let least = Number.POSITIVE_INFINITY
    for (const member of this.members) least = Math.min(least, member.room(bytes))
    return least
  }

  // --- opening ----------------------------------------------------------------------------------------------------

  /** One opening of the channel; resolves with whether the org accepted it. */
  async #consume(position: StartPosition, again: boolean): Promise<boolean> {
    const { signal } = this.#turn
    this.#opening = true
    let was = false
    try {
      const opened = this.#parts.source.open({
        channel: this.name,
        position,
        signal,
        room: (bytes) => this.#room(bytes),
        failOnLimit: this.#gapReplayAt !== undefined && position === 'all',
      })
      opened.accepted.then(
        (ok) => {
          if (!ok || signal.aborted || !this.#opening || signal !== this.#turn.signal) return
          was = this.#accepted = true
          this.#firstAcceptedAt ??= this.now()
          for (const member of this.members) member.accepted()
          if (again) this.#parts.report({ type: 'resubscribed', channel: this.name, from: position })
        },
        () => {},
      )
      const batches = opened.batches[Symbol.asyncIterator]()
      for (let next = await batches.next(); !next.done; next = await batches.next()) {
        was = true
        this.#receive(next.value)
      }
      return was
    } finally {
      this.#accepted = false
      this.#opening = false
    }
  }

  async #run(): Promise<void> {
    const { source, begin } = this.#parts
    let from: StartPosition | undefined
    let opened = false
    while (!this.#closed) {
      if (opened) this.#turn = new AbortController()
      const { signal } = this.#turn
      if (this.#roomAgain) await untilAborted(this.#roomAgain.promise, signal)
      const now = await untilAborted(source.org(), signal)
      if (from === undefined || now !== this.#org) {
        if (this.#org !== undefined) this.#startOver()
        from = await begin(now, this.#org, signal)
        if (this.#org !== undefined) this.#gapReport('other-org', undefined, from)
        this.#org = now
      }
      if (this.#roomAgain) continue
      if (opened) this.#known.resubscribed()
      const start: StartPosition = from
      try {
        const wasAccepted = await this.#consume(start, opened)
        if (!this.#closed) from = this.#onward(start, wasAccepted)
      } catch (error) {
        from = this.#afterRefusal(start, error)
      }
      opened = true
    }
  }
}
