import { type Source, type SourceObserver, type SourceState, StateError } from '@sfstream/core'
import type { PageEvents } from './page-events.ts'

/**
 * A Source that follows the life of its page: says goodbye when the page is left or frozen, so that the org keeps no session for
 * nobody and nothing keeps the page out of the back/forward cache; comes back when the page does; and tries again at once when the
 * network is back. Channels are then opened again after the last event, as after any lost session.
 */
export function pageSource(inner: Source, page: PageEvents): Source {
  let listening: (() => void)[] = []
  let state: SourceState = 'idle'
  /** While the page is away: what waits for it. */
  let away: { back: Promise<void>; resolve: () => void; reject: (error: StateError) => void } | undefined
  let leaving: Promise<void> = Promise.resolve()
  /** How often the session was given up for the page's sake. */
  let leaves = 0

  inner.observe({
    status: (status) => {
      if (status.type === 'state') state = status.state
    },
  })

  const leave = (): void => {
    if (away) return
    leaves++
    let resolve = (): void => {}
    let reject: (error: StateError) => void = () => {}
    const back = new Promise<void>((done, fail) => {
      resolve = done
      reject = fail
    })
    back.catch(() => {})
    away = { back, resolve, reject }
    leaving = inner.stop().catch(() => {})
  }
  const comeBack = (): void => {
    const waiting = away
    if (!waiting) return
    void leaving.then(() => {
      if (away !== waiting) return
      away = undefined
      inner.start().catch(() => {})
      waiting.resolve()
    })
  }
  const retryNow = (): void => {
    if (away || state !== 'waiting') return
    leave()
    comeBack()
  }
  const listen = (): void => {
    if (listening.length === 0) listening = [page.onHide(leave), page.onShow(comeBack), page.onOnline(retryNow)]
  }
  /** Waits for the page, and begins again what its leaving has interrupted. */
  const whileHere = async <T>(work: () => Promise<T>): Promise<T> => {
    for (;;) {
      await away?.back
      const before = leaves
      try {
        return await work()
      } catch (error) {
        if (leaves === before) throw error
      }
    }
  }

  return {
    get endpoint() {
      return inner.endpoint
    },
    get live() {
      return !away && inner.live
    },
    now: () => inner.now?.() ?? Date.now(),
    start() {
      listen()
      return whileHere(() => inner.start())
    },
    org() {
      listen()
      return whileHere(() => inner.org())
    },
    open: (request) => inner.open(request),
    hold: () => inner.hold(),
    send: (message) => inner.send(message),
    observe(observer: SourceObserver) {
      return inner.observe({
        ...observer,
        status(status) {
          // It has not stopped: it waits for its page.
          const stopping = status.type === 'state' && (status.state === 'stopping' || status.state === 'stopped')
          if (away && stopping) {
            if (status.state === 'stopped') observer.status?.({ type: 'state', state: 'waiting' })
          } else observer.status?.(status)
        },
      })
    },
    async stop() {
      for (const remove of listening.splice(0)) remove()
      const waiting = away
      away = undefined
      waiting?.reject(new StateError({ code: 'client_stopped', message: 'The client was stopped.', remediation: 'Call start() again.' }))
      await leaving
      await inner.stop()
    },
  }
}
