import { untilAborted } from './until-aborted.ts'

/**
 * Shares one run of `work` among concurrent callers. Each caller leaves alone when its own signal aborts; the work
 * itself is aborted once the last one has left.
 */
export function singleFlight<T>(work: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let flight: { result: Promise<T>; controller: AbortController; waiting: number } | undefined
  return async (signal) => {
    signal.throwIfAborted()
    if (!flight) {
      const controller = new AbortController()
      flight = { controller, waiting: 0, result: Promise.resolve().then(() => work(controller.signal)) }
    }
    const current = flight
    current.waiting++
    try {
      return await untilAborted(current.result, signal)
    } finally {
      const isLast = --current.waiting === 0
      if (isLast && signal.aborted) current.controller.abort(signal.reason)
      // Landed, or left by all: whoever comes now begins another.
      if (flight === current && (isLast || !signal.aborted)) flight = undefined
    }
  }
}
