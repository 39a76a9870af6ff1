import type { BayeuxMessage } from '../bayeux/wire/message.ts'
import type { SfStreamError } from '../errors.ts'
import type { SourceObserver } from '../source/source.ts'
import type { SourceState, SourceStatus } from '../source/source-status.ts'

/** A Source's state and those who observe it. */
export interface ObservedState {
  readonly state: SourceState
  /** Reported when it changes. */
  set(now: SourceState, error?: SfStreamError): void
  report(status: SourceStatus): void
  message(message: BayeuxMessage): void
  observe(observer: SourceObserver): () => void
}

export function observedState(): ObservedState {
  const observers = new Set<SourceObserver>()
  let state: SourceState = 'idle'
  const report = (status: SourceStatus): void => {
    for (const observer of observers) observer.status?.(status)
  }
  return {
    get state() {
      return state
    },
    set(now, error) {
      if (state === now) return
      state = now
      report({ type: 'state', state: now, ...(error && { error }) })
    },
    report,
    message(message) {
      for (const observer of observers) observer.message?.(message)
    },
    observe(observer) {
      observers.add(observer)
      return () => observers.delete(observer)
    },
  }
}
