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

export function positionWriter(
  store: ReplayStore,
  key: ReplayKey,
  platform: Platform,
  failed: (error: SfStreamError) => void,
): PositionWriter {
  const lagMs = store.commitEveryMs ?? 0
  let newest: ReplayPosition | undefined
  let saved: ReplayPosition | undefined
  let saving = false
  /** The save under way has taken too long. */
  let stuck: SfStreamError | undefined
  let failures = 0
  let users = 0
  let opened = 0
  let writtenBy = 0
  let cancelTimer: (() => void) | undefined
  /** Gives up the save under way. */
  let abandon = (): void => {}
  let disarmAbandon = (): void => {}
  let lastSaveAt = Number.NEGATIVE_INFINITY
  const waiting: Deferred<void>[] = []

  const disarm = (): void => {
    cancelTimer?.()
    cancelTimer = undefined
  }
  const arm = (delayMs: number): void => {
    if (users > 0) cancelTimer ??= platform.delay(save, delayMs)
  }
  const save = (): void => {
    disarm()
    const position = newest
    if (!position || position === saved) {
      for (const caller of waiting.splice(0)) caller.resolve()
      return
    }
    saving = true
    lastSaveAt = platform.now()
    const callers = waiting.splice(0)
    const refuse = (error: SfStreamError): void => {
      failed(error)
      for (const caller of callers.splice(0)) caller.reject(error)
    }
    const cancelLimit = platform.delay(() => {
      stuck = storeError(key, new Error(`no answer within ${saveLimitMs} ms`))
      refuse(stuck)
      for (const caller of waiting.splice(0)) caller.reject(stuck)
    }, saveLimitMs)
    let settled = false
    abandon = () => {
      over()
      save()
    }
    armAbandon()
    const over = (): void => {
      settled = true
      cancelLimit()
      disarmAbandon()
      saving = false
      stuck = undefined
    }
    attempt(position).then(
      () => {
        if (settled) return
        over()
        failures = 0
        saved = position
        for (const caller of callers) caller.resolve()
        if (newest !== position || waiting.length > 0) schedule()
      },
      (cause: unknown) => {
        if (settled) return
        const reported = stuck !== undefined
        over()
        failures++
        if (!reported) refuse(storeError(key, cause))
        if (waiting.length > 0) save()
        else arm(Math.min(60_000, firstRetryMs * 2 ** (failures - 1)))
      },
    )
  }
  const armAbandon = (): void => {
    disarmAbandon()
    if (users > 0) disarmAbandon = platform.delay(() => abandon(), abandonMs)
  }
  const attempt = async (position: ReplayPosition): Promise<void> => store.save(key, position)

  const schedule = (): void => {
    const waitMs = waiting.length > 0 ? 0 : Math.min(lagMs, lastSaveAt + lagMs - platform.now())
    if (waitMs > 0) arm(waitMs)
    else if (users > 0 || waiting.length > 0) save()
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
      // A failing store is left alone until its retry is due.
      if (!saving && failures === 0) schedule()
      return true
    },
    flush() {
      if (newest === saved) return Promise.resolve()
      if (stuck) return Promise.reject(stuck)
      const caller = deferred<void>()
      waiting.push(caller)
      if (!saving) save()
      return caller.promise
    },
    open() {
      users++
      if (saving) armAbandon()
      if (newest !== saved && !saving) arm(firstRetryMs)
      return ++opened
    },
    close() {
      if (--users > 0) return
      disarm()
      disarmAbandon()
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
