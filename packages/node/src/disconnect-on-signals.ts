import { constants } from 'node:os'
import type { StreamingClient } from '@sfstream/core'

export interface SignalOptions {
  /** `SIGINT` (Ctrl-C) and `SIGTERM` by default. */
  signals?: readonly NodeJS.Signals[]
  /**
   * Ends the process once the client has stopped, with 128 + the signal's number. False by default: the loops end, and the
   * program finishes in its own way.
   */
  exit?: boolean
}

/**
 * Stops the client on the first signal: positions are saved and the org is told goodbye. A second signal ends the process at
 * once. The returned function removes the listeners; call it when the client is no longer needed. A position that cannot
 * be saved on the way out is an unhandled rejection: it ends the process with that error.
 */
export function disconnectOnSignals(
  client: Pick<StreamingClient, 'stop'>,
  { signals = ['SIGINT', 'SIGTERM'], exit = false }: SignalOptions = {},
): () => void {
  let stopping = false
  const listener = (signal: NodeJS.Signals): void => {
    const status = 128 + constants.signals[signal]
    if (stopping) process.exit(status)
    stopping = true
    void client.stop().then(() => {
      if (exit) process.exit(status)
    })
  }
  for (const signal of signals) process.on(signal, listener)
  return () => {
    for (const signal of signals) process.off(signal, listener)
  }
}
