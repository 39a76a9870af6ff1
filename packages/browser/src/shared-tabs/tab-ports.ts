import { onAbort } from '@sfstream/core/internal'

/** What tabs share: messages that reach every other tab of the origin, and locks that end with their holder. */
export interface TabPorts {
  /** Joins the others; `receive` gets what they post. */
  join(name: string, receive: (message: unknown) => void): { post(message: unknown): void; close(): void }
  /**
   * Resolves when the lock is ours; it is let go when `signal` aborts. Rejects when it aborts first. `lost` is called when somebody has
   * stolen it, as any script of the origin may. `steal`: taken at once, since whoever has it does not run. [PROTOCOL O8]
   */
  lock(name: string, signal: AbortSignal, lost: () => void, steal?: boolean): Promise<void>
  /** Names of all locks that are held, in any tab. */
  held(): Promise<ReadonlySet<string>>
}

/** Those of the browser; undefined where it has none: Web Locks exist in secure contexts only. */
export function browserTabPorts(): TabPorts | undefined {
  const locks = typeof navigator === 'object' ? navigator.locks : undefined
  if (!locks || typeof BroadcastChannel === 'undefined') return undefined
  return {
    join(name, receive) {
      const channel = new BroadcastChannel(name)
      channel.onmessage = ({ data }) => receive(data)
      return { post: (message) => channel.postMessage(message), close: () => channel.close() }
    },
    lock: (name, signal, lost, steal = false) =>
      new Promise((resolve, reject) => {
        locks
          .request(
            name,
            // Not both: what is stolen is not waited for.
            steal ? { steal } : { signal },
            () =>
              new Promise<void>((release) => {
                onAbort(signal, release)
                resolve()
              }),
          )
          .catch((error: unknown) => {
            reject(error)
            lost()
          })
      }),
    async held() {
      const { held = [] } = await locks.query()
      return new Set(held.map(({ name = '' }) => name))
    },
  }
}
