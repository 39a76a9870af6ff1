/** What was awaited did not come in time. */
export class TooLate extends Error {
  constructor(deadlineMs: number, awaited: string) {
    super(`${deadlineMs / 1000} s have passed, and this did not come: ${awaited}.`)
    this.name = 'TooLate'
  }
}

/** Waits for things to become true; whoever changes something calls `changed`. */
export interface Conditions {
  changed(): void
  /** Resolves when `condition` holds. Rejects with TooLate past the deadline, or with what `fail` was given. */
  until(what: string, condition: () => boolean): Promise<void>
  /** Makes every wait reject. */
  fail(error: Error): void
  close(): void
}

export function conditions(deadlineMs: number): Conditions {
  let failure: Error | undefined
  let waiting: { what: string; condition: () => boolean; resolve: () => void; reject: (reason: Error) => void }[] = []
  const fail = (error: Error): void => {
    failure ??= error
    for (const waiter of waiting.splice(0)) waiter.reject(failure)
  }
  const timer = setTimeout(() => {
    const awaited = waiting.map(({ what }) => what).join(', ') || 'the end'
    fail(new TooLate(deadlineMs, awaited))
  }, deadlineMs)
  return {
    changed() {
      waiting = waiting.filter(({ condition, resolve }) => {
        if (!condition()) return true
        resolve()
        return false
      })
    },
    until(what, condition) {
      if (failure) return Promise.reject(failure)
      if (condition()) return Promise.resolve()
      return new Promise((resolve, reject) => waiting.push({ what, condition, resolve, reject }))
    },
    fail,
    close: () => clearTimeout(timer),
  }
}
