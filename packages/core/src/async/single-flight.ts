/**
 * Shares one run of `work` among concurrent callers. Each caller leaves alone when its own signal aborts; the work
 * itself is aborted once the last one has left.
 */
export function singleFlight<T>(work: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let flight: { result: Promise<T>; controller: AbortController; waiting: number } | undefined
  return (signal) => {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (!flight) {
      const controller = new AbortController()
      const started = { controller, waiting: 0, result: Promise.resolve().then(() => work(controller.signal)) }
      const land = (): void => {
        if (flight === started) flight = undefined
      }
      started.result.then(land, land)
      flight = started
    }
    const current = flight
    current.waiting++
    return new Promise<T>((resolve, reject) => {
      const done = (): void => {
        signal.removeEventListener('abort', leave)
        current.waiting--
      }
      const leave = (): void => {
        done()
        if (current.waiting === 0) {
          if (flight === current) flight = undefined
          current.controller.abort(signal.reason)
        }
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      current.result.then(
        (value) => {
          done()
          resolve(value)
        },
        (error: unknown) => {
          done()
          reject(error)
        },
      )
    })
  }
}
