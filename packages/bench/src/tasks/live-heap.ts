import { setTimeout as sleep } from 'node:timers/promises'

/** The heap that is in use after a collection, in bytes. */
export function liveHeap(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** The same at rest: the least of several, because what is on its way at one moment is nobody's. */
export async function restingHeap(): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let each = 0; each < 4; each++) {
    liveHeap()
    await sleep(100)
    least = Math.min(least, liveHeap())
  }
  return least
}
