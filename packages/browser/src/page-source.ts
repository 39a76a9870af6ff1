import { type Source, type SourceState, StateError } from '@sfstream/core'
import type { PageEvents } from './page-events.ts'

/** What waits for the session to be taken up again. */
interface Away {
  back: Promise<void>
  resolve(): void
  reject(error: StateError): void
}

/**
 * A Source that follows the life of its page: says goodbye when the page is left or frozen, so that the org keeps no session for
 * nobody and nothing keeps the page out of the back/forward cache; comes back when the page does; and tries again at once when the
 * network is back. [PROTOCOL T5] Channels are then opened again after the last event, as after any lost session.
 */
export function pageSource(inner: Source, page: PageEvents): Source {
  let listening: (() => void)[] = []
  let state: SourceState = 'idle'
  let hidden = false
  let away: Away | undefined
  let leaving: Promise<void> = Promise.resolve()
  /** How often the session was given up for the page's sake, and by the caller. */
  let leaves = 0
  let stops = 0

  inner.observe({
    status: (status) => {
      if (status.type === 'state') state = status.state
    },
  })

  const leave = (): void => {
    // What has failed, or was never begun, is not for a page to begin again.
    if (away || state === 'idle' || state === 'failed' || state === 'stopped') return
    leaves++
    away = waiting()
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
  const hide = (): void => {
    hidden = true
    leave()
  }
  const show = (): void => {
    hidden = false
    comeBack()
  }
  const retryNow = (): void => {
    if (hidden || state !== 'waiting') return
    leave()
    comeBack()
  }
  const listen = (): void => {
    if (listening.length === 0) listening = [page.onHide(hide), page.onShow(show), page.onOnline(retryNow)]
  }
  /** Waits for the page, and begins again what its leaving has interrupted. */
  const whileHere = async <T>(work: () => Promise<T>): Promise<T> => {
    listen()
    const stopsBefore = stops
    for (;;) {
      await away?.back
      const leavesBefore = leaves
      try {
        return await work()
      } catch (error) {
        if (leaves === leavesBefore || stops !== stopsBefore) throw error
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
    open: (request) => inner.open(request),
    hold: () => inner.hold(),
    send: (message) => inner.send(message),
    observe: (observer) =>
      inner.observe({
        ...observer,
        status(status) {
          // It has not stopped: it waits for its page.
          const isStop = away && status.type === 'state' && (status.state === 'stopping' || status.state === 'stopped')
          if (!isStop) observer.status?.(status)
          else if (status.state === 'stopped') observer.status?.({ type: 'state', state: 'waiting' })
        },
      }),
    async stop() {
      stops++
      for (const remove of listening.splice(0)) remove()
      hidden = false
      const left = away
      away = undefined
      left?.reject(new StateError({ code: 'client_stopped', message: 'The client was stopped.', remediation: 'Call start() again.' }))
      await leaving
      await inner.stop()
    },
  }
}

function waiting(): Away {
  let resolve = (): void => {}
  let reject: Away['reject'] = () => {}
  const back = new Promise<void>((done, fail) => {
    resolve = done
    reject = fail
  })
  back.catch(() => {})
  return { back, resolve, reject }
}
