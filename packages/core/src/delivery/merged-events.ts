import { StateError } from '../errors.ts'
import type { StreamEvent } from '../events/stream-event.ts'
import type { ChannelSubscription } from './channel-subscription.ts'
import { DeliveredEvent } from './delivered-event.ts'

/**
 * One loop over every subscription that has none of its own. Nothing is taken before it is asked for, so a subscription
 * that gets its own loop simply has it; leaving gives back the event still in hand.
 */
export interface MergedEvents {
  /** The loop waits for an event. */
  readonly parked: boolean
  /** @throws StateError `already_consumed` while a loop is running */
  iterator(): AsyncIterableIterator<StreamEvent>
  /** A subscription has an event or its end to give. */
  offer(subscription: ChannelSubscription): void
  /** Ends the loop now. */
  close(): void
  /** Ends the loop once no subscription has anything left. */
  finish(): void
  abort(reason: unknown): void
}

export interface MergedEventsParts {
  autoCommit: boolean
  /** Those that may have something to give when a loop begins. */
  subscriptions: Iterable<ChannelSubscription>
  parked(): void
}

type Taken = { subscription: ChannelSubscription; event: DeliveredEvent<unknown> }
type Settle = { resolve(result: IteratorResult<StreamEvent>): void; reject(error: unknown): void }
type Loop = {
  phase: 'idle' | 'running' | 'over'
  /** It ends once nothing is left. */
  finishing: boolean
  /** What to reject with, once. */
  error: { reason: unknown } | undefined
  inHand: Taken[]
  waiting: Settle[]
}

export function mergedEvents({ autoCommit, subscriptions, parked }: MergedEventsParts): MergedEvents {
  /** In the order in which they are served. */
  const ready = new Set<ChannelSubscription>()
  const loops = new Set<Loop>()
  let current: Loop | undefined

  /** The next event, an end with an error, or nothing yet; takes turns among subscriptions. */
  const take = (): Taken | { failed: unknown } | undefined => {
    for (const subscription of ready) {
      ready.delete(subscription)
      if (subscription.claimed) continue
      const event = subscription.take()
      if (event) {
        ready.add(subscription)
        return { subscription, event }
      }
      const ending = subscription.takeEnd()
      if (ending?.tag === 'error') return { failed: ending.error }
    }
    return undefined
  }
  const end = (loop: Loop): void => {
    if (loop.phase === 'over') return
    loop.phase = 'over'
    loops.delete(loop)
    for (const { subscription, event } of loop.inHand.splice(0).reverse()) subscription.giveBack(event)
    if (current === loop) {
      current = undefined
      ready.clear()
    }
    for (const caller of loop.waiting.splice(0)) settle(loop, caller)
  }
  const settle = (loop: Loop, { resolve, reject }: Settle): void => {
    if (!loop.error) return resolve({ value: undefined, done: true })
    const { reason } = loop.error
    loop.error = undefined
    reject(reason)
  }
  const fail = (loop: Loop, reason: unknown): void => {
    if (loop.phase !== 'over') loop.error = { reason }
    end(loop)
  }
  const serve = (loop: Loop): void => {
    while (loop.waiting.length > 0) {
      const next = take()
      if (!next) break
      if ('failed' in next) return fail(loop, next.failed)
      loop.inHand.push(next)
      loop.waiting.shift()?.resolve({ value: next.event, done: false })
    }
    if (loop.waiting.length > 0 && loop.finishing) end(loop)
  }
  const busy = (): StateError =>
    new StateError({
      code: 'already_consumed',
      message: 'events() has a consumer already.',
      remediation: 'Leave the first loop before a second, or give channels loops of their own.',
    })
  const begin = (loop: Loop): void => {
    if (loop.phase !== 'idle') return
    if (current) return fail(loop, busy())
    loop.phase = 'running'
    current = loop
    for (const subscription of subscriptions) if (!subscription.claimed) ready.add(subscription)
  }

  const makeIterator = (): AsyncIterableIterator<StreamEvent> => {
    const loop: Loop = { phase: 'idle', finishing: false, error: undefined, inHand: [], waiting: [] }
    loops.add(loop)
    return {
      next() {
        begin(loop)
        const finished = loop.inHand.splice(0)
        if (autoCommit) for (const { event } of finished) DeliveredEvent.finish(event)
        return new Promise((resolve, reject) => {
          if (loop.phase === 'over') return settle(loop, { resolve, reject })
          loop.waiting.push({ resolve, reject })
          serve(loop)
          if (loop.waiting.length > 0) parked()
        })
      },
      return() {
        loop.error = undefined
        end(loop)
        return Promise.resolve({ value: undefined, done: true })
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  return {
    get parked() {
      return current !== undefined && current.waiting.length > 0
    },
    iterator() {
      if (current) throw busy()
      return makeIterator()
    },
    offer(subscription) {
      if (!current) return
      ready.add(subscription)
      serve(current)
    },
    close() {
      for (const loop of [...loops]) end(loop)
    },
    finish() {
      for (const loop of [...loops]) {
        loop.finishing = true
        serve(loop)
      }
    },
    abort(reason) {
      for (const loop of [...loops]) fail(loop, reason)
    },
  }
}
