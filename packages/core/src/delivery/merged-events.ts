import type { StreamEvent } from '../events/stream-event.ts'
import type { ChannelSubscription } from './channel-subscription.ts'
import { DeliveredEvent } from './delivered-event.ts'

/**
 * Loops over every subscription that has none of its own. Nothing is taken before it is asked for, so a subscription
 * that gets its own loop simply has it; leaving gives back the event still in hand. With several such loops, each
 * channel stays with the one that took from it first: two would part its order.
 */
export interface MergedEvents {
  /** A loop waits for an event. */
  readonly parked: boolean
  iterator(): AsyncIterableIterator<StreamEvent>
  /** A subscription has an event or its end to give. */
  offer(subscription: ChannelSubscription): void
  forget(subscription: ChannelSubscription): void
  /** Ends every loop now. */
  close(): void
  /** Ends every loop once no subscription has anything left for it. */
  finish(): void
  abort(reason: unknown): void
}

export interface MergedEventsParts {
  autoCommit: boolean
  /** Those that may have something to give. */
  subscriptions: Iterable<ChannelSubscription>
  parked(): void
}

type Taken = { subscription: ChannelSubscription; event: DeliveredEvent<unknown> }
type Settle = { resolve(result: IteratorResult<StreamEvent>): void; reject(error: unknown): void }
interface Loop {
  over: boolean
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
  const owners = new Map<ChannelSubscription, Loop>()

  /** The next event, an end with an error, or nothing yet; takes turns among subscriptions. */
  const take = (loop: Loop): Taken | { failed: unknown } | undefined => {
    for (const subscription of ready) {
      const owner = owners.get(subscription)
      if (owner && owner !== loop) continue
      ready.delete(subscription)
      if (subscription.claimed) continue
      const event = subscription.take()
      if (event) {
        ready.add(subscription)
        if (!owner) owners.set(subscription, loop)
        return { subscription, event }
      }
      const ending = subscription.takeEnd()
      if (ending) owners.delete(subscription)
      if (ending?.tag === 'error') return { failed: ending.error }
    }
    return undefined
  }
  const settle = (loop: Loop, { resolve, reject }: Settle): void => {
    if (!loop.error) return resolve({ value: undefined, done: true })
    const { reason } = loop.error
    loop.error = undefined
    reject(reason)
  }
  const end = (loop: Loop, error?: Loop['error']): void => {
    if (loop.over) return
    loop.over = true
    loop.error = error
    loops.delete(loop)
    for (const { subscription, event } of loop.inHand.splice(0).reverse()) subscription.giveBack(event)
    for (const [subscription, owner] of owners) if (owner === loop) owners.delete(subscription)
    for (const caller of loop.waiting.splice(0)) settle(loop, caller)
    gather()
  }
  const serve = (loop: Loop): void => {
    while (loop.waiting.length > 0) {
      const next = take(loop)
      if (!next) break
      if ('failed' in next) return end(loop, { reason: next.failed })
      loop.inHand.push(next)
      loop.waiting.shift()?.resolve({ value: next.event, done: false })
    }
    if (loop.waiting.length > 0 && loop.finishing) end(loop)
  }
  /** Whatever has come while nobody looked. */
  const gather = (): void => {
    ready.clear()
    if (loops.size === 0) return
    for (const subscription of subscriptions) if (!subscription.claimed) ready.add(subscription)
    for (const loop of [...loops]) serve(loop)
  }

  return {
    get parked() {
      for (const loop of loops) if (loop.waiting.length > 0) return true
      return false
    },
    iterator() {
      const loop: Loop = { over: false, finishing: false, error: undefined, inHand: [], waiting: [] }
      loops.add(loop)
      gather()
      return {
        next() {
          const finished = loop.inHand.splice(0)
          if (autoCommit) for (const { event } of finished) DeliveredEvent.finish(event)
          return new Promise((resolve, reject) => {
            if (loop.over) return settle(loop, { resolve, reject })
            loop.waiting.push({ resolve, reject })
            serve(loop)
            if (loop.waiting.length === 0) return
            for (const subscription of subscriptions) if (!subscription.claimed) subscription.rested()
            parked()
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
    },
    offer(subscription) {
      if (loops.size === 0) return
      ready.add(subscription)
      for (const loop of [...loops]) serve(loop)
    },
    forget(subscription) {
      ready.delete(subscription)
      owners.delete(subscription)
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
      for (const loop of [...loops]) end(loop, { reason })
    },
  }
}
