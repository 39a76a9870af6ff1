/** Node 22 to 26 and Deno 2 were seen to send in the second, Node 20 in the first; a write may be one later. */
const turns = 3

/**
 * For `Transport.flushed`: Node and Deno send a `fetch` once the turn of the event loop in which it was called is over, and with it all
 * that a consumer does with the events of that turn; on a kept connection, a turn after that. Undefined in browsers, which have no
 * `setImmediate`, and send at once, as Chromium and Firefox were seen to.
 */
export function flushedFetch(): (() => Promise<void>) | undefined {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown }
  if (!setImmediate) return undefined
  return async () => {
    for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
