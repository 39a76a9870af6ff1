import { type Deferred, deferred } from '../async/deferred.ts'
import { ReplayError, SfStreamError, textOf } from '../errors.ts'
import type { ReplayId } from '../events/stream-event.ts'
import type { Platform } from '../platform.ts'
import { type ReplayKey, type ReplayStore, replayPosition } from './replay-store.ts'

/** A failing store is tried again after this long, doubled each time, up to a minute. */
const firstRetryMs = 1_000
/** A save that takes longer is told to be failing; it keeps its place for a while, because two saves of a key must not overtake. */
const saveLimitMs = 10_000
/** Then it is given up: landing later still, it would set the position back, which loses nothing. [PROTOCOL D5] */
const abandonMs = 60_000

/** Compared by identity: each is written once. */
export interface ReachedPosition {
  readonly replayId: ReplayId | undefined
  readonly createdDate: string | undefined
}

/** A save under way. */
interface Save {
  /** Who waits for it. */
  caller: Deferred<void> | undefined
  /** It has taken too long, and whoever waited was told. */
  stuck: SfStreamError | undefined
}

/**
 * Brings the positions of one key to the store: one save at a time, the newest position follows. A failing store is
 * reported and tried again; nobody waits for it but those who ask. [PROTOCOL D5]
 */
export class PositionWriter {
  readonly key: ReplayKey
  readonly #store: ReplayStore
  readonly #platform: Platform
  readonly #failed: (key: ReplayKey, error: SfStreamError) => void
  #newest: ReachedPosition | undefined
  #saved: ReachedPosition | undefined
  #current: Save | undefined
  #failures = 0
  #users = 0
  #opened = 0
  #writtenBy = 0
  /** While a save is under way, until it is late; else until the next one. */
  #cancelTimer: (() => void) | undefined
  #lastSaveAt = Number.NEGATIVE_INFINITY
  /** Nothing is written since `rested`. */
  #resting = false
  /** Whoever waits for the save after the one under way. */
  #next: Deferred<void> | undefined

  constructor(key: ReplayKey, store: ReplayStore, platform: Platform, failed: (key: ReplayKey, error: SfStreamError) => void) {
    this.key = key
    this.#store = store
    this.#platform = platform
    this.#failed = failed
  }

  /** The last durable position. */
  get saved(): ReachedPosition | undefined {
    return this.#saved
  }

  /** The newest position, while it is not durable. */
  get pending(): ReachedPosition | undefined {
    return this.#newest === this.#saved ? undefined : this.#newest
  }

  /** The newest finished position. Who began earlier gives way to whoever has written since: false, and nothing is written. */
  write(position: ReachedPosition, beganAt: number): boolean {
    if (beganAt < this.#writtenBy) return false
    this.#writtenBy = beganAt
    this.#newest = position
    this.#resting = false
    // One save is under way, or is to come; a failing store is left alone until its retry is due.
    if (this.#cancelTimer || this.#users === 0) return true
    const delayMs = this.#waitMs()
    if (delayMs > 0) this.#saveIn(delayMs)
    else this.#save()
    return true
  }

  /** Nothing more is being finished for now: what waited for more to come is saved. */
  rested(): void {
    this.#resting = true
    if (this.#cancelTimer && !this.#current && this.#failures === 0 && this.#waitMs() === 0) this.#save()
  }

  /** Resolves when the newest position is durable. @throws ReplayError `store_failed` when the next attempt fails, or takes over 10 s */
  flush(): Promise<void> {
    if (!this.pending) return Promise.resolve()
    if (this.#current?.stuck) return Promise.reject(this.#current.stuck)
    this.#next ??= deferred()
    const { promise } = this.#next
    if (!this.#current) this.#save()
    return promise
  }

  /** One more user; each closes it once. Numbered in the order in which they begin. */
  open(): number {
    this.#users++
    if (this.#current?.stuck) {
      // Given up a while after the last one who might need its place has come.
      this.#disarm()
      this.#arm(() => this.#save(), abandonMs)
    } else if (!this.#current && this.pending) this.#saveIn(firstRetryMs)
    return ++this.#opened
  }

  /** Without users it arms no timer: what is written then is saved by `flush` only. */
  close(): void {
    if (--this.#users === 0 && (!this.#current || this.#current.stuck)) this.#disarm()
  }

  #disarm(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #arm(then: () => void, delayMs: number): void {
    this.#cancelTimer ??= this.#platform.delay(() => {
      this.#cancelTimer = undefined
      then()
    }, delayMs)
  }

  #saveIn(delayMs: number): void {
    if (this.#users > 0) this.#arm(() => this.#save(), delayMs)
  }

  #waitMs(): number {
    const lagMs = this.#store.commitEveryMs ?? 0
    return Math.max(0, Math.min(lagMs, this.#lastSaveAt + lagMs - this.#platform.now()))
  }

  #save(): void {
    this.#disarm()
    const position = this.#newest
    const caller = this.#next
    this.#next = undefined
    if (!position || position === this.#saved) return caller?.resolve()
    const save: Save = { caller, stuck: undefined }
    this.#current = save
    this.#lastSaveAt = this.#platform.now()
    this.#arm(() => this.#late(save), saveLimitMs)
    this.#attempt(position).then(
      () => {
        if (this.#current !== save) return
        this.#over()
        this.#failures = 0
        this.#saved = position
        caller?.resolve()
        if (this.#next || this.pending) this.#follow()
      },
      (cause: unknown) => {
        if (this.#current !== save) return
        this.#over()
        this.#failures++
        if (!save.stuck) this.#refuse(save, cause)
        if (this.#next) this.#save()
        else this.#saveIn(Math.min(60_000, firstRetryMs * 2 ** (this.#failures - 1)))
      },
    )
  }

  async #attempt({ replayId, createdDate }: ReachedPosition): Promise<void> {
    return this.#store.save(this.key, replayPosition(replayId as ReplayId, createdDate))
  }

  #over(): void {
    this.#current = undefined
    this.#disarm()
  }

  /** Positions that came while another was saved: one save for all of the turn, or a fast store would be asked for each of them. */
  #follow(): void {
    const delayMs = this.#waitMs()
    if (this.#next || (this.#resting && delayMs === 0)) this.#save()
    else this.#saveIn(delayMs)
  }

  #late(save: Save): void {
    save.stuck = this.#refuse(save, new Error(`no answer within ${saveLimitMs} ms`))
    this.#next?.reject(save.stuck)
    this.#next = undefined
    this.#saveIn(abandonMs - saveLimitMs)
  }

  #refuse({ caller }: Save, cause: unknown): SfStreamError {
    const error = storeError(this.key, cause)
    this.#failed(this.key, error)
    caller?.reject(error)
    return error
  }
}

function storeError(key: ReplayKey, cause: unknown): SfStreamError {
  if (cause instanceof SfStreamError) return cause
  return new ReplayError({
    code: 'store_failed',
    message: `The position of ${key.channel} could not be saved: ${textOf(cause)}.`,
    remediation: 'Mend the replay store; events since the last saved position come again after a restart.',
    retryable: true,
    channel: key.channel,
    cause,
  })
}
