/** Lets in a bounded number at a time, in the order of asking. */
export interface Slots {
  /** Resolves with what lets the next one in; rejects with the signal's own reason when it aborts first. */
  enter(signal: AbortSignal): Promise<() => void>
}

export function slots(count: number): Slots {
  let free = count
  const waiting: (() => void)[] = []
  const leave = (): void => {
    const next = waiting.shift()
    if (next) next()
    else free++
  }
  /** Letting go twice must not let in two. */
  const once = (): (() => void) => {
    let left = false
    return () => {
      if (left) return
      left = true
      leave()
    }
  }

  return {
    enter(signal) {
      if (signal.aborted) return Promise.reject(signal.reason)
      if (free > 0) {
        free--
        return Promise.resolve(once())
      }
      return new Promise((resolve, reject) => {
        const admit = (): void => {
          signal.removeEventListener('abort', giveUp)
          resolve(once())
        }
        const giveUp = (): void => {
          waiting.splice(waiting.indexOf(admit), 1)
          reject(signal.reason)
        }
        waiting.push(admit)
        signal.addEventListener('abort', giveUp, { once: true })
      })
    },
  }
}
