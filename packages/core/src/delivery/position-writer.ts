import { type Deferred, deferred } from '../async/deferred.ts'
import { ReplayError, SfStreamError } from '../errors.ts'
import type { Platform } from '../platform.ts'
import type { ReplayKey, ReplayPosition, ReplayStore } from './replay-store.ts'

/** A failing store is tried again after this long, doubled each time, up to a minute. */
const firstRetryMs = 1_000
/** A save that has not settled by then has failed: later positions must not wait behind it for ever. */
const maxSaveMs = 30_000

/**
 * Brings positions to the store: one save at a time, the newest position follows. A failing store is reported and tried
 * again; nobody waits for it but those who ask. [PROTOCOL D5]
 */
export interface PositionWriter {
  /** The newest finished position. */
  write(position: ReplayPosition): void
  /** Resolves when the newest position is durable. @throws ReplayError `store_failed` when the next attempt fails */
  flush(): Promise<void>
  /** The last durable position. */
  readonly saved: ReplayPosition | undefined
  /** Leaves no timer behind. */
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
  let closed = false
  let failures = 0
  let cancelTimer: (() => void) | undefined
  let lastSaveAt = Number.NEGATIVE_INFINITY
  const waiting: Deferred<void>[] = []

  const save = (): void => {
    cancelTimer?.()
    cancelTimer = undefined
    if (saving) return
    const position = newest
    if (!position || position === saved) {
      for (const caller of waiting.splice(0)) caller.resolve()
      return
    }
    saving = true
    const callers = waiting.splice(0)
    lastSaveAt = platform.now()
    let cancelLimit = (): void => {}
    const limit = new Promise<never>((_, reject) => {
      cancelLimit = platform.delay(() => reject(new Error('no answer within 30 s')), maxSaveMs)
    })
    Promise.race([Promise.resolve().then(() => store.save(key, position)), limit])
      .finally(cancelLimit)
      .then(
        () => {
          saving = false
          failures = 0
          saved = position
          for (const caller of callers) caller.resolve()
          if (newest !== position || waiting.length > 0) schedule()
        },
        (cause: unknown) => {
          saving = false
          const error = storeError(key, cause)
          failed(error)
          for (const caller of callers) caller.reject(error)
          failures++
          if (waiting.length > 0) save()
          else if (!closed) cancelTimer ??= platform.delay(save, Math.min(60_000, firstRetryMs * 2 ** (failures - 1)))
        },
      )
  }

  const schedule = (): void => {
    const waitMs = waiting.length > 0 ? 0 : lastSaveAt + lagMs - platform.now()
    if (waitMs <= 0 || closed) save()
    else cancelTimer ??= platform.delay(save, waitMs)
  }

  return {
    get saved() {
      return saved
    },
    write(position) {
      newest = position
      // A failing store is left alone until its retry is due.
      if (!saving && failures === 0) schedule()
    },
    flush() {
      if (!saving && newest === saved) return Promise.resolve()
      const caller = deferred<void>()
      waiting.push(caller)
      if (!saving) save()
      return caller.promise
    },
    close() {
      closed = true
      cancelTimer?.()
      cancelTimer = undefined
    },
  }
}

function storeError(key: ReplayKey, cause: unknown): SfStreamError {
  if (cause instanceof SfStreamError) return cause
  return new ReplayError({
    code: 'store_failed',
    message: `The position of ${key.channel} could not be saved: ${cause instanceof Error ? cause.message : String(cause)}.`,
    remediation: 'Mend the replay store; events since the last saved position will come again after a restart.',
    retryable: true,
    channel: key.channel,
    cause,
  })
}
