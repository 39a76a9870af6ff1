/** What a test waits on: client and server both say when something has happened, and nobody sleeps. */
export interface NoticeBoard {
  /** Something happened: waiters look again. */
  changed(): void
  /** Resolves when `check` holds. @throws Error naming `what` after `limitMs` (5,000) */
  until(what: string, check: () => boolean, limitMs?: number): Promise<void>
}

export function noticeBoard(): NoticeBoard {
  const waiters = new Set<() => void>()
  return {
    changed() {
      for (const look of [...waiters]) look()
    },
    until(what, check, limitMs = 5_000) {
      return new Promise((resolve, reject) => {
        const settle = (error?: unknown): void => {
          waiters.delete(look)
          clearTimeout(timer)
          if (error === undefined) resolve()
          else reject(error)
        }
        const look = (): void => {
          try {
            if (check()) settle()
          } catch (error) {
            settle(error)
          }
        }
        const timer = setTimeout(() => settle(new Error(`Not within ${limitMs} ms: ${what}`)), limitMs)
        waiters.add(look)
        look()
      })
    },
  }
}
