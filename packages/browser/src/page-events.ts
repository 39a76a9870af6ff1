/** What befalls a page that matters to a connection: it is left or frozen, and its code may not run from now on; is back; has its network back. */
export type PageEvent = 'hide' | 'show' | 'online'

/** Listens to what befalls a page; the returned function stops it. */
export type PageEvents = (listener: (what: PageEvent) => void) => () => void

/** By their names in browsers. No `unload`, which would keep the page out of the back/forward cache. */
const heard: Record<string, PageEvent> = { pagehide: 'hide', freeze: 'hide', pageshow: 'show', resume: 'show', online: 'online' }

/** Of the browser. There are none where pages are rendered on a server, and in a worker the last alone. */
export const browserPageEvents: PageEvents = (listener) => {
  const listen = ({ type, target }: Event): void => {
    // Elements have events of their own, which pass by here too, and may have these names.
    if (!(target as Element).tagName) listener(heard[type] as PageEvent)
  }
  // Those of the document pass by the window on their way.
  const each = (call: 'addEventListener' | 'removeEventListener'): void => {
    for (const type in heard) globalThis[call]?.(type, listen, true)
  }
  each('addEventListener')
  return () => each('removeEventListener')
}
