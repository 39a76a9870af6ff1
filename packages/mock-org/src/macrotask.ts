/**
 * One turn of the event loop, by the quickest means the runtime has: browsers clamp nested `setTimeout` to 4 ms, which
 * would make hours of virtual time slow.
 */
export function macrotask(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown }
  if (typeof setImmediate === 'function') return new Promise((resolve) => void setImmediate(resolve))
  if (typeof MessageChannel === 'function') {
    return new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => {
        port1.close()
        resolve()
      }
      port2.postMessage(undefined)
    })
  }
  return new Promise((resolve) => void setTimeout(resolve, 0))
}
