import { constants } from 'node:os'
import { StateError, type StreamingClient } from '@sfstream/core'

export interface SignalOptions {
  /** `SIGINT` (Ctrl-C) and `SIGTERM` by default. */
  signals?: readonly NodeJS.Signals[]
  /**
   * Ends the process once the client has stopped, and every other that was given here, with 128 + the signal's number. False by
   * default: the loops end, and the program finishes in its own way.
   */
  exit?: boolean
}

type Listener = ((signal: NodeJS.Signals) => void) & { [stoppedKey]?: Promise<void> }

/** Where a listener keeps when its client has stopped: one client must not end the process under another. */
const stoppedKey = Symbol.for('sfstream.stopped')

/**
 * Stops the client on the first signal: positions are saved and the org is told goodbye. A second signal ends the process at
 * once. The returned function removes the listeners; call it when the client is no longer needed. A position that cannot
 * be saved on the way out is an unhandled rejection: it ends the process with that error.
 * @throws StateError `bad_option`
 */
export function disconnectOnSignals(
  client: Pick<StreamingClient, 'stop'>,
  { signals = ['SIGINT', 'SIGTERM'], exit = false }: SignalOptions = {},
): () => void {
  const unknown = signals.find((signal) => !(signal in constants.signals))
  if (typeof client?.stop !== 'function' || unknown !== undefined) {
    throw new StateError({
      code: 'bad_option',
      message: `disconnectOnSignals: ${unknown === undefined ? 'the first argument is no client' : `there is no signal '${unknown}'`}.`,
      remediation: "Call disconnectOnSignals(client, { signals: ['SIGINT', 'SIGTERM'] }).",
    })
  }
  const listener: Listener = (signal) => {
    const status = 128 + constants.signals[signal]
    if (listener[stoppedKey]) process.exit(status)
    const stopped = client.stop()
    listener[stoppedKey] = stopped
    void stopped.then(async () => {
      if (!exit) return
      await Promise.allSettled((process.listeners(signal) as Listener[]).map((each) => each[stoppedKey]))
      process.exit(status)
    })
  }
  for (const signal of signals) process.on(signal, listener)
  return () => {
    for (const signal of signals) process.off(signal, listener)
  }
}
