/**
 * A controller that also aborts with `parents`, keeping the first reason. `release` removes every listener: call it as
 * soon as the work is over. (`AbortSignal.any` is not on every runtime.)
 */
export function linkedController(...parents: readonly (AbortSignal | undefined)[]): { controller: AbortController; release: () => void } {
  const controller = new AbortController()
  const removals: (() => void)[] = []
  const release = (): void => {
    for (const remove of removals.splice(0)) remove()
  }
  for (const parent of parents) {
    if (!parent) continue
    if (parent.aborted) {
      controller.abort(parent.reason)
      break
    }
    const follow = (): void => {
      release()
      controller.abort(parent.reason)
    }
    parent.addEventListener('abort', follow, { once: true })
    removals.push(() => parent.removeEventListener('abort', follow))
  }
  if (controller.signal.aborted) release()
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
