import { type Deferred, deferred } from '../async/deferred.ts'
import { ReplayError, SfStreamError, textOf } from '../errors.ts'
import type { Platform } from '../platform.ts'
import type { ReplayKey, ReplayPosition, ReplayStore } from './replay-store.ts'

/** A failing store is tried again after this long, doubled each time, up to a minute. */
const firstRetryMs = 1_000
/** A save that takes longer is told to be failing; it keeps its place for a while, because two saves of a key must not overtake. */
const saveLimitMs = 10_000
/** Then it is given up: landing later still, it would set the position back, which loses nothing. [PROTOCOL D5] */
const abandonMs = 60_000

/**
 * Brings the positions of one key to the store: one save at a time, the newest position follows. A failing store is
 * reported and tried again; nobody waits for it but those who ask. [PROTOCOL D5]
 */
export interface PositionWriter {
  /** The newest finished position. Who began earlier gives way to whoever has written since: false, and nothing is written. */
  write(position: ReplayPosition, beganAt: number): boolean
  /** Nothing more is being finished for now: what waited for more to come is saved. */
  rested(): void
  /** Resolves when the newest position is durable. @throws ReplayError `store_failed` when the next attempt fails, or takes over 10 s */
  flush(): Promise<void>
  /** The last durable position. */
  readonly saved: ReplayPosition | undefined
  /** The newest position, while it is not durable. */
  readonly pending: ReplayPosition | undefined
  /** One more user; each closes it once. Numbered in the order in which they begin. */
  open(): number
  /** Without users it arms no timer: what is written then is saved by `flush` only. */
  close(): void
}

/** A save under way. */
interface Save {
  position: ReplayPosition
  beganAt: number
  /** So much of its age no clock that is set back can take away. */
  watchedMs: number
  /** Who waits for it. */
  callers: Deferred<void>[]
  /** It has taken too long, and whoever waited was told. */
  stuck: SfStreamError | undefined
}

export function positionWriter(
  store: ReplayStore,
  key: ReplayKey,
  platform: Platform,
  failed: (error: SfStreamError) => void,
): PositionWriter {
  const lagMs = store.commitEveryMs ?? 0
  let newest: ReplayPosition | undefined
  let saved: ReplayPosition | undefined
  let current: Save | undefined
  let failures = 0
  let users = 0
  let opened = 0
  let writtenBy = 0
  let cancelTimer: (() => void) | undefined
  let cancelWatch: (() => void) | undefined
  let lastSaveAt = Number.NEGATIVE_INFINITY
  /** Nothing is written since `rested`. */
  let resting = false
  const waiting: Deferred<void>[] = []

  const disarm = (): void => {
    cancelTimer?.()
    cancelTimer = undefined
  }
  const arm = (delayMs: number): void => {
    if (users > 0) cancelTimer ??= platform.delay(save, delayMs)
  }
  const rest = (): void => {
    cancelWatch?.()
    cancelWatch = undefined
  }
  /** One timer for all saves, not one for each: it looks when the save under way would be late. */
  const watch = (delayMs: number): void => {
    const watched = current
    cancelWatch ??= platform.delay(() => {
      cancelWatch = undefined
      if (!current) return
      if (current === watched) current.watchedMs += delayMs
      look(current)
    }, delayMs)
  }
  const look = (save: Save): void => {
    const tookMs = Math.max(save.watchedMs, platform.now() - save.beganAt)
    if (tookMs >= saveLimitMs && !save.stuck) {
      save.stuck = storeError(key, new Error(`no answer within ${saveLimitMs} ms`))
      refuse(save, save.stuck)
      for (const caller of waiting.splice(0)) caller.reject(save.stuck)
    }
    if (!save.stuck) watch(saveLimitMs - tookMs)
    else if (users === 0) return
    else if (tookMs < abandonMs) watch(abandonMs - tookMs)
    else {
      current = undefined
      begin()
    }
  }
  const refuse = ({ callers }: Save, error: SfStreamError): void => {
    failed(error)
    for (const caller of callers.splice(0)) caller.reject(error)
  }
  const save = (): void => {
    disarm()
    begin()
  }
  const begin = (): void => {
    const position = newest
    const callers = waiting.splice(0)
    if (!position || position === saved) {
      for (const caller of callers) caller.resolve()
      return
    }
    lastSaveAt = platform.now()
    const mine: Save = { position, beganAt: lastSaveAt, watchedMs: 0, callers, stuck: undefined }
    current = mine
    watch(saveLimitMs)
    attempt(position).then(
      () => {
        if (current !== mine) return
        failures = 0
        saved = position
        over()
        for (const caller of callers) caller.resolve()
        if (newest !== position || waiting.length > 0) follow()
      },
      (cause: unknown) => {
        if (current !== mine) return
        over()
        failures++
        if (!mine.stuck) refuse(mine, storeError(key, cause))
        if (waiting.length > 0) save()
        else arm(Math.min(60_000, firstRetryMs * 2 ** (failures - 1)))
      },
    )
  }
  const over = (): void => {
    current = undefined
    if (users === 0 || newest === saved) rest()
  }
  const attempt = async (position: ReplayPosition): Promise<void> => store.save(key, position)

  const waitMs = (): number => Math.max(0, Math.min(lagMs, lastSaveAt + lagMs - platform.now()))
  /** Positions that came while another was saved: one save for all of the turn, or a fast store would be asked for each of them. */
  const follow = (): void => {
    const delayMs = waitMs()
    if (waiting.length > 0 || (resting && delayMs === 0)) save()
    else arm(delayMs)
  }

  return {
    get saved() {
      return saved
    },
    get pending() {
      return newest === saved ? undefined : newest
    },
    write(position, beganAt) {
      if (beganAt < writtenBy) return false
      writtenBy = beganAt
      newest = position
      resting = false
      // A failing store is left alone until its retry is due.
      if (current || failures > 0 || cancelTimer || users === 0) return true
      const delayMs = waitMs()
      if (delayMs > 0) arm(delayMs)
      else save()
      return true
    },
    rested() {
      resting = true
      if (cancelTimer && !current && failures === 0 && waitMs() === 0) save()
    },
    flush() {
      if (newest === saved) return Promise.resolve()
      if (current?.stuck) return Promise.reject(current.stuck)
      const caller = deferred<void>()
      waiting.push(caller)
      if (!current) save()
      return caller.promise
    },
    open() {
      users++
      if (current) {
        // Given up a while after the last one who might need its place has come.
        if (current.stuck) {
          current.beganAt = platform.now()
          current.watchedMs = 0
        }
        rest()
        look(current)
      } else if (newest !== saved) arm(firstRetryMs)
      return ++opened
    },
    close() {
      if (--users > 0) return
      disarm()
      if (!current || current.stuck) rest()
    },
  }
}

function storeError(key: ReplayKey, cause: unknown): SfStreamError {
  if (cause instanceof SfStreamError) return cause
  return new ReplayError({
    code: 'store_failed',
    message: `The position of ${key.channel} could not be saved: ${textOf(cause)}.`,
    remediation: 'Mend the replay store; events since the last saved position will come again after a restart.',
    retryable: true,
    channel: key.channel,
    cause,
  })
}
