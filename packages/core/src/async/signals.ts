/**
 * A controller that also aborts with `parent`, for its reason. `release` removes the listener: call it as soon as the work is over.
 * (`AbortSignal.any` is not on every runtime.)
 */
export function linkedController(parent: AbortSignal | undefined): { controller: AbortController; release: () => void } {
  const controller = new AbortController()
  const release = parent ? onAbort(parent, () => controller.abort(parent.reason)) : () => {}
  return { controller, release }
}

/** Calls `listener` when the signal aborts, at once if it already has; the returned function removes it. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) {
    listener()
    return () => {}
  }
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}
