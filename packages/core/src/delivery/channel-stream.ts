import { deferred } from '../async/deferred.ts'
import { untilAborted } from '../async/until-aborted.ts'
import { visits } from '../async/visits.ts'
import { LimitError, ReplayError, type SfStreamError } from '../errors.ts'
import { dateMs, EventFields, identityOf, kindOfChannel, retentionMs } from '../events/event-fields.ts'
import { isReplayId } from '../events/replay-id.ts'
import type { EventKind, ReplayId } from '../events/stream-event.ts'
import type { SubscribeOptions } from '../options.ts'
import type { Batch, StartPosition } from '../source/source.ts'
import type { ReplayGapReason } from '../source/source-status.ts'
import { DeliveredEvent } from './delivered-event.ts'
import type { Shared } from './delivery.ts'
import { Identities } from './identities.ts'
import type { LiveSubscription } from './live-subscription.ts'

/** Clocks differ, and the org may log an event minutes after its date. [PROTOCOL D2] */
const gapToleranceMs = 5 * 60_000

/**
 * One channel of one client: opens it, keeps it open across lost sessions, pauses and refused positions, and hands
 * every event to its members. The loop in `run` is the only place where a channel is opened, so none is ever forgotten.
 */
export class ChannelStream {
  readonly name: string
  members: readonly LiveSubscription[] = []
  /** The first member, which keeps the position until it leaves; one that shares the channel stores nothing. */
  keeper: LiveSubscription | undefined
  /** Lets it flow again, while it waits for its members' buffers. */
  relief: (() => void) | undefined
  readonly #shared: Shared
  readonly #replay: SubscribeOptions['replay']
  readonly #kind: EventKind
  readonly #known = new Identities()
  /** Ends what is waited for now; a new one for each opening. */
  #turn = new AbortController()
  /** Of the opening that is under way. */
  #opening: AbortSignal | undefined
  #closed = false
  /** Set while it is given back to the org. */
  #roomAgain: Promise<void> | undefined
  #org: string | undefined
  #accepted = false
  #wasAccepted = false
  #firstAcceptedAt: number | undefined
  /** The last event received, kept or dropped: where to go on from. */
  #last: ReplayId | undefined
  /** Set while events from before the first acceptance are to be dropped: when that replay was asked for. */
  #gapReplayAt: number | undefined
  #lagging = false

  constructor(name: string, replay: SubscribeOptions['replay'], shared: Shared) {
    this.name = name
    this.#replay = replay
    this.#shared = shared
    this.#kind = kindOfChannel(name)
  }

  /** Whether the org could be sending: accepted, and a poll held. */
  get live(): boolean {
    const { source, pressure } = this.#shared
    return this.#accepted && source.live && !pressure.holding
  }

  get paused(): boolean {
    return this.#roomAgain !== undefined
  }

  /** By the org's clock, which events are dated by. [PROTOCOL D9] */
  now(): number {
    const { source, platform } = this.#shared
    return source.now?.() ?? platform.now()
  }

  join(member: LiveSubscription): void {
    this.members = this.members.concat(member)
    if (this.#accepted) member.accepted()
  }

  /** `keeper` has joined. */
  start(keeper: LiveSubscription): void {
    this.keeper = keeper
    this.#run().catch((error: unknown) => {
      for (const member of this.members) member.fail(error)
    })
  }

  /** Gives the channel back to the org until there is room; resumes after the last event received. */
  pause(): void {
    const { promise, resolve } = deferred<void>()
    this.#roomAgain = promise
    this.relief = () => {
      this.#roomAgain = undefined
      resolve()
    }
    if (this.#opening) this.#turn.abort(new Error('paused'))
  }

  leave(member: LiveSubscription): void {
    const { pressure } = this.#shared
    this.members = this.members.filter((each) => each !== member)
    if (this.keeper === member) this.keeper = undefined
    if (this.members.length > 0) return pressure.eased(this)
    this.#closed = true
    this.#turn.abort(new Error('closed'))
    pressure.relieve(this)
  }

  // --- where to begin, and to go on -------------------------------------------------------------------------------

  /** The stored position, or what was asked for; from then on positions are kept in that org. */
  async #begin(org: string, signal: AbortSignal, moved: boolean): Promise<StartPosition> {
    const { positions, options } = this.#shared
    const key = { org, channel: this.name, consumer: options.consumer ?? 'default' }
    const replay = moved && this.#replay !== 'off' ? 'stored' : (this.#replay ?? 'stored')
    let position: StartPosition = 'new'
    if (replay !== 'stored') position = replay
    else if (positions) {
      const stored = await positions.load(key, signal)
      position = stored ?? 'new'
      if (!isReplayId(position) && !moved && (await positions.isKnownElsewhere(key, signal)))
        this.#gapReport('unknown-org', undefined, position)
      signal.throwIfAborted()
    }
    if (positions) this.keeper?.keepPositions(positions.writer(key))
    return position
  }

  #gapReport(reason: ReplayGapReason, from: ReplayId | undefined, to: StartPosition, error?: SfStreamError): void {
    this.#shared.report({ type: 'replayGap', channel: this.name, reason, from, to, ...(error && { error }) })
  }

  /** Where to open the channel again after a feed that began at `from` has ended. */
  #onward(from: StartPosition): StartPosition {
    if (from === 'off') {
      // Asked never to replay: what was missed meanwhile is not known.
      if (this.#wasAccepted) this.#gapReport('no-position', this.#last, 'off')
      return 'off'
    }
    if (this.#last !== undefined) return this.#last
    // A replay of which nothing came has cost nothing: it is asked for again.
    if (!this.#wasAccepted || from !== 'new') return from
    const { options, gapsReplayed } = this.#shared
    // Once per channel, however often the channel is opened.
    if (options.gap !== 'report' && !gapsReplayed.includes(this.name)) {
      gapsReplayed.push(this.name)
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
    const { replayFallback = 'all' } = this.#shared.options
    if (!(error instanceof ReplayError) || !isReplayId(from) || replayFallback === 'fail') throw error
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
    if (complete || this.#last !== undefined) return messages
    return new Set(messages.map((message) => new EventFields(message, this.#kind).replayId)).size === 1 ? [] : messages
  }

  #receive(batch: Batch): void {
    const { bytesEach, complete, repeats } = batch
    this.#wasAccepted = true
    if (repeats) this.#known.resubscribed()
    let previous: ReplayId | undefined
    let beforeGroup: ReplayId | undefined
    let firstDate: string | undefined
    let { members } = this
    for (const message of this.#certain(batch)) {
      const event = new DeliveredEvent(message, this.#kind, bytesEach)
      const { replayId, createdDate } = event
      // Receiving the event before was their end: this one is not theirs, and tells whether that one's id is complete. [PROTOCOL D4]
      for (const member of members) if (!member.attached) member.replyEnded(replayId)
      members = this.members
      firstDate ??= createdDate
      if (replayId !== undefined && replayId !== previous) {
        beforeGroup = previous
        previous = replayId
      }
      if (this.#known.repeats(identityOf(event))) {
        for (const member of this.members) member.repeated()
        continue
      }
      const drop = this.#gapReplayAt !== undefined && this.#isBeforeStart(createdDate, this.#gapReplayAt)
      // Each has its own: receiving one may be a member's end, and then another is the first.
      for (const member of members) member.receive(member === members[0] ? event : DeliveredEvent.again(event), drop)
    }
    // After a cut reply, only to before the group that may be incomplete.
    const reached = complete ? previous : beforeGroup
    if (reached !== undefined) this.#last = reached
    // A cut reply without an id tells nothing of the group that the last one may have broken.
    if (complete || previous !== undefined) for (const member of members) member.replyEnded(complete ? undefined : previous)
    this.#checkLag(firstDate)
    this.#shared.pressure.check(this)
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
    if (lags && !this.#lagging) this.#shared.report({ type: 'lagging', channel: this.name, lagMs, retentionMs: limit })
    this.#lagging = lags
  }

  // --- opening ----------------------------------------------------------------------------------------------------

  #accept(again: boolean, from: StartPosition): void {
    this.#wasAccepted = this.#accepted = true
    this.#firstAcceptedAt ??= this.now()
    for (const member of this.members) member.accepted()
    if (again) this.#shared.report({ type: 'resubscribed', channel: this.name, from })
  }

  async #run(): Promise<void> {
    const { source } = this.#shared
    let from: StartPosition | undefined
    let again = false
    while (!this.#closed) {
      if (again) this.#turn = new AbortController()
      const { signal } = this.#turn
      if (this.#roomAgain) await untilAborted(this.#roomAgain, signal)
      const org = await untilAborted(source.org(), signal)
      if (from === undefined || org !== this.#org) {
        if (again) this.#startOver()
        from = await this.#begin(org, signal, again)
        if (again) this.#gapReport('other-org', undefined, from)
        this.#org = org
        // A position takes its time to load: the token may be another org's by now. [PROTOCOL D8]
        continue
      }
      // Closed, or to be paused, in the turn in which the org was known.
      if (this.#roomAgain || signal.aborted) continue
      if (again) this.#known.resubscribed()
      const position: StartPosition = from
      this.#opening = signal
      this.#wasAccepted = false
      try {
        const { accepted, batches } = source.open({
          channel: this.name,
          position,
          signal,
          room: (bytes) => Math.min(...this.members.map((member) => member.room(bytes))),
          failOnLimit: this.#gapReplayAt !== undefined && position === 'all',
        })
        accepted.then(
          (ok) => {
            if (ok && !signal.aborted && signal === this.#opening) this.#accept(again, position)
          },
          () => {},
        )
        const visitNext = visits(batches, (batch) => this.#receive(batch))
        while (await visitNext()) {}
        if (!this.#closed) from = this.#onward(position)
      } catch (error) {
        from = this.#afterRefusal(position, error)
      } finally {
        this.#accepted = false
        this.#opening = undefined
      }
      again = true
    }
  }
}
