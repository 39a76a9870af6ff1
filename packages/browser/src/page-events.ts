/** What a page goes through that matters to a connection. Each function returns what stops the listening. */
export interface PageEvents {
  /** The page is left, or frozen: from now on its code may not run. */
  onHide(callback: () => void): () => void
  /** It is back. */
  onShow(callback: () => void): () => void
  /** The network is back. */
  onOnline(callback: () => void): () => void
}

/** Those of the browser; none where there is no window, as in a worker. No `unload`, which would keep the page out of the back/forward cache. */
export function browserPageEvents(): PageEvents {
  const on = (target: EventTarget | undefined, type: string, callback: () => void): (() => void) => {
    // Neither is there where pages are rendered on a server.
    target?.addEventListener?.(type, callback)
    return () => target?.removeEventListener?.(type, callback)
  }
  const both = (one: () => void, other: () => void) => (): void => {
    one()
    other()
  }
  const page = typeof window === 'undefined' ? undefined : window
  return {
    onHide: (callback) => both(on(page, 'pagehide', callback), on(page?.document, 'freeze', callback)),
    onShow: (callback) => both(on(page, 'pageshow', callback), on(page?.document, 'resume', callback)),
    // Workers have this one too.
    onOnline: (callback) => on(globalThis as unknown as EventTarget, 'online', callback),
  }
}
