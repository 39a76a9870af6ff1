/** Node 22 to 26 were seen to write a request in the third turn at the latest. */
const turns = 3

/**
 * For `Transport.flushed`: Node and Deno send a `fetch` once the turn of the event loop in which it was called is over, and with it all
 * that a consumer does with the events of that turn; Node leaves a kept connection alone for a turn more. Undefined in browsers, which
 * have no `setImmediate`, and send at once.
 */
export function flushedFetch(): (() => Promise<void>) | undefined {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown }
  if (!setImmediate) return undefined
  return async () => {
    for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
