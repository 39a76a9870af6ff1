import { type Source, type SourceState, StateError } from '@sfstream/core'
import { type Deferred, deferred } from '@sfstream/core/internal'
import type { PageEvent, PageEvents } from './page-events.ts'

/**
 * A Source that follows the life of its page: says goodbye when the page is left or frozen, so that the org keeps no session for
 * nobody and nothing keeps the page out of the back/forward cache; comes back when the page does; and tries again at once when the
 * network is back. [PROTOCOL T5] Channels are then opened again after the last event, as after any lost session.
 */
export function pageSource(inner: Source, page: PageEvents): Source {
  let stopListening: (() => void) | undefined
  let state: SourceState = 'idle'
  let hidden = false
  /** Until the session is taken up again. */
  let away: Deferred<void> | undefined
  /** The last goodbye for the page's sake. */
  let leaving = Promise.resolve()
  let stops = 0

  const leave = (): void => {
    // What has failed, or was never begun, is not for a page to begin again.
    if (away || state === 'idle' || state === 'failed' || state === 'stopped') return
    away = deferred()
    leaving = inner.stop().catch(() => {})
  }
  const comeBack = (): void => {
    const left = away
    if (!left) return
    void leaving.then(() => {
      // Left again meanwhile, or stopped.
      if (hidden || away !== left) return
      away = undefined
      inner.start().catch(() => {})
      left.resolve()
    })
  }
  const heard = (what: PageEvent): void => {
    if (what === 'online' && (hidden || state !== 'waiting')) return
    hidden = what === 'hide'
    if (what !== 'show') leave()
    if (what !== 'hide') comeBack()
  }
  /** Waits for the page, and begins again what its leaving has interrupted. */
  const whileHere = async <T>(work: () => Promise<T>): Promise<T> => {
    stopListening ??= page(heard)
    const stopsBefore = stops
    for (;;) {
      await away?.promise
      const before = leaving
      try {
        return await work()
      } catch (error) {
        if (leaving === before || stops !== stopsBefore) throw error
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
    ...(inner.now && { now: () => inner.now!() }),
    start: () => whileHere(() => inner.start()),
    org: () => whileHere(() => inner.org()),
    // Right after `org`, which has waited for the page.
    open: (request) => inner.open(request),
    hold: () => inner.hold(),
    send: (message) => inner.send(message),
    observe: (observer) =>
      inner.observe({
        ...observer,
        status(status) {
          if (status.type === 'state') {
            state = status.state
            // It has not stopped: it waits for its page.
            if (away && state === 'stopping') return
            if (away && state === 'stopped') status = { type: 'state', state: 'waiting' }
          }
          observer.status?.(status)
        },
      }),
    async stop() {
      stops++
      stopListening?.()
      stopListening = undefined
      hidden = false
      const left = away
      away = undefined
      left?.reject(new StateError({ code: 'client_stopped', message: 'The client was stopped.', remediation: 'Call start() again.' }))
      await leaving
      await inner.stop()
    },
  }
}
