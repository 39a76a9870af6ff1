import { sleep } from '../../async/sleep.ts'
import type { Turn } from '../machine/machine.ts'
import type { TransportResponse } from '../transport/transport.ts'
import { cleanReplySize } from '../wire/decode.ts'
import { type Fault, transientFault } from '../wire/fault.ts'
import type { Address } from './conversation.ts'
import { pollDeadline, shortDeadline } from './deadlines.ts'
import { isConnectReply } from './findings.ts'
import { type PollHold, pollHold } from './poll-hold.ts'
import type { CameWith, Session } from './session.ts'
import { interrupted, knownError, noReply } from './session-errors.ts'

/** A reply of fewer characters is short: some tens of events at the most, read in a fraction of a millisecond. */
const shortLength = 8_000
/** More polls than these in a row that were answered sooner bring backlog; other replies are news. */
const quietMs = 2
const newsInARow = 4

/** At most one poll is out, and the next one leaves as soon as it may. A class, because a process may hold thousands. */
export class ConnectLoop {
  /** How many polls have left, and the numbers of the last one answered, and of the last answered without an event. */
  sent = 0
  answered = 0
  empty = 0
  /** A reply that is in and not read, while the poll behind it is being sent, and the number of its own poll. */
  untaken: { response: TransportResponse; number: number } | undefined
  readonly holding: PollHold
  readonly #session: Session
  #poll: AbortController | undefined
  /** How many of the last polls were answered within `quietMs`. */
  #quick = 0

  constructor(session: Session) {
    this.#session = session
    this.holding = pollHold(session.platform)
  }

  /** A poll is with the org, or about to be. */
  get out(): boolean {
    return this.#poll !== undefined
  }

  /** `early`: before the reply to the last one was read. */
  start(turn: Turn | 'early', afterMs = 0): void {
    if (this.#poll) return
    this.#poll = new AbortController()
    void this.#run(this.#poll, turn, afterMs)
  }

  interrupt(): void {
    this.untaken = undefined
    this.#takeBack()
    this.answered = this.sent
  }

  /**
   * Called before another reply is taken: each has its turn in the order in which they came, and what one has brought is received
   * before the next is taken, so that full buffers hold the poll behind it. [PROTOCOL C4]
   */
  async takeUp(): Promise<void> {
    const untaken = this.untaken
    if (!untaken) return
    this.untaken = undefined
    this.#take(untaken.response, untaken.number)
    await null
    await null
  }

  #takeBack(): void {
    this.#poll?.abort(interrupted)
    this.#poll = undefined
  }

  async #run(mine: AbortController, turn: Turn | 'early', afterMs: number): Promise<void> {
    const session = this.#session
    const { platform, transport, epoch } = session
    const { signal } = mine
    const atOnce = turn === 'first' || turn === 'resume'
    try {
      if (afterMs > 0) await sleep(afterMs, signal, platform)
      else if (turn === 'next') {
        // The last reply's events are taken in one microtask after they were dispatched, when it is known whether there is
        // room, and handed out in the next.
        await null
        await null
      }
      if (this.holding.held) await this.holding.untilFree(signal)
      if (turn === 'resume' && !(await session.lane.callOff(signal))) return
      const to = session.address()
      if (!to || signal.aborted) return
      const number = ++this.sent
      const sentAt = platform.now()
      const response = await this.#post(to, atOnce, signal)
      if (signal.aborted) return
      this.#quick = !atOnce && platform.now() - sentAt < quietMs ? this.#quick + 1 : 0
      if (this.untaken) await this.takeUp()
      // That one took this poll back.
      if (signal.aborted) return
      this.#poll = undefined
      if (atOnce || !this.#mayLeaveEarly(response)) return this.#take(response, number)
      this.untaken = { response, number }
      this.start('early')
      // Before the parsing, which would keep it from leaving. [PROTOCOL C4]
      if (transport.flushed) await transport.flushed()
      if (this.untaken?.number === number) await this.takeUp()
    } catch (error) {
      if (signal.aborted || session.epoch !== epoch) return
      await this.takeUp()
      if (!signal.aborted && session.epoch === epoch) this.#failed(transientFault(knownError(error)))
    } finally {
      if (this.#poll === mine) this.#poll = undefined
    }
  }

  #take(response: TransportResponse, number: number): void {
    const session = this.#session
    const { epoch } = session
    const reply = session.take(response, 'connect')
    if (session.epoch !== epoch) return
    if (reply.fault) return this.#failed(reply.fault, reply)
    if (reply.disconnected) return session.dispatch({ type: 'lost', reason: 'the org closed the session' })
    const { meta, events } = reply.decoded
    // Events without a reply are a reply: some servers leave it out. A reply to another request is none. [PROTOCOL C6]
    if (!meta.some(isConnectReply) && (meta.length > 0 || events.length === 0)) return this.#failed(transientFault(noReply()))
    this.answered = Math.max(this.answered, number)
    if (events.length === 0) this.empty = this.answered
    session.dispatch({ type: 'connected', advice: reply.advice, hadEvents: events.length > 0 })
  }

  /** Apart from the wait for its reply, which would keep the message for as long. */
  #post(to: Address, atOnce: boolean, signal: AbortSignal): Promise<TransportResponse> {
    const { conversation, advice } = this.#session
    const message = this.#session.outgoing({ channel: '/meta/connect', connectionType: 'long-polling' })
    if (atOnce) message.advice = { timeout: 0 }
    return conversation.post(to, [message], atOnce ? shortDeadline : pollDeadline(advice.timeoutMs), signal)
  }

  /** Nothing else is sent before an early poll that should not have left is taken back. [PROTOCOL C5] */
  #failed(fault: Fault, came?: CameWith): void {
    // It may take events with it, as a poll that broke: for a refusal alone nothing would be asked for again. [PROTOCOL C7]
    const kind = this.#poll && fault.kind === 'refused' ? 'transient' : fault.kind
    this.#takeBack()
    void this.#session.fault('connect', { ...fault, kind }, came)
  }

  #mayLeaveEarly({ cut, status, text, ahead }: TransportResponse): boolean {
    const { conversation, registry, advice, transport } = this.#session
    if (cut || this.holding.held || conversation.inspectsReplies || advice.intervalMs > 0) return false
    const length = text.length + (ahead?.length ?? 0)
    // News is handed out first. And a poll that does not leave before our turn is over would only keep it waiting. [PROTOCOL C4]
    if (length < shortLength && !(this.#quick > newsInARow && transport.flushed)) return false
    const size = cleanReplySize(status, text, ahead?.messages)
    // Where there is nothing to parse, nothing is won.
    return size !== undefined && size > 0 && size <= registry.room(length)
  }
}
