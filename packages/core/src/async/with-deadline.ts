import type { Platform } from '../platform.ts'
import { linkedController } from './signals.ts'
import { untilAborted } from './until-aborted.ts'

/** What `withDeadline` rejects with when time is up. */
export const deadlineReached: unique symbol = Symbol('deadline reached')

/**
 * Runs `work` with a signal that aborts after `ms` or with the caller's own, and settles at that moment even where the
 * runtime's fetch does not listen. Leaves no timer and no listener.
 */
export async function withDeadline<T>(
  ms: number,
  { signal, platform }: { signal?: AbortSignal; platform: Pick<Platform, 'delay'> },
  work: (signal: AbortSignal) => PromiseLike<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const { controller, release } = linkedController(signal)
  const cancel = platform.delay(() => controller.abort(deadlineReached), ms)
  try {
    return await untilAborted(work(controller.signal), controller.signal)
  } finally {
    cancel()
    release()
  }
}
