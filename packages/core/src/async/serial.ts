/** Runs tasks one after another, in order. A task that is not a promise is done at once: nobody pays for order it has anyway. */
export interface Serial {
  /** Tasks begun or waiting. */
  readonly size: number
  run(task: () => void | PromiseLike<void>): void
  /** Forgets what waits; the outcome of what has begun is ignored. */
  clear(): void
}

/** @param over a task is over, and no longer counted */
export function serial(failed: (error: unknown) => void, over?: () => void): Serial {
  let waiting: (() => void | PromiseLike<void>)[] = []
  let busy: object | undefined

  const start = (task: () => void | PromiseLike<void>): void => {
    const mine = {}
    const settled = (): boolean => {
      if (busy !== mine) return false
      busy = undefined
      over?.()
      return true
    }
    busy = mine
    try {
      const result = task()
      if (result) {
        result.then(
          () => {
            if (settled()) next()
          },
          (error: unknown) => {
            if (!settled()) return
            failed(error)
            next()
          },
        )
      } else settled()
    } catch (error) {
      if (settled()) failed(error)
    }
  }
  const next = (): void => {
    while (!busy && waiting.length > 0) start(waiting.shift() as () => void)
  }

  return {
    get size() {
      return waiting.length + (busy ? 1 : 0)
    },
    run(task) {
      waiting.push(task)
      next()
    },
    clear() {
      waiting = []
      busy = undefined
    },
  }
}
