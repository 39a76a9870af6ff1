import { queue } from '../async/queue.ts'
import type { StreamEvent } from '../events/stream-event.ts'
import type { ChannelSubscription } from './channel-subscription.ts'

/**
 * One loop over every subscription that has none of its own. A subscription is taken once it has something to give and
 * nobody else has claimed it; leaving the loop gives all of them back, with the event still in hand.
 */
export interface MergedEvents {
  readonly iterator: AsyncIterableIterator<StreamEvent>
  /** A subscription has something to give. */
  offer(subscription: ChannelSubscription): void
  /** Ends now. */
  finish(): void
  /** Ends once no subscription has anything left. */
  stopWhenEmpty(): void
  abort(reason: unknown): void
}

interface Taken {
  subscription: ChannelSubscription
  event: StreamEvent
}

export function mergedEvents(autoCommit: boolean, left: () => void): MergedEvents {
  const claims = new Set<ChannelSubscription>()
  /** Pulled ahead, one per subscription at the most. */
  const ahead = new Map<ChannelSubscription, StreamEvent>()
  let inHand: Taken[] = []
  let over = false
  let ending = false

  const endIfEmpty = (): void => {
    if (ending && claims.size === 0 && ahead.size === 0) merged.finish()
  }
  const merged = queue<Taken>({
    taken(next) {
      ahead.delete(next.subscription)
      inHand.push(next)
      endIfEmpty()
      void pullFrom(next.subscription)
    },
  })

  const pulling = new Set<ChannelSubscription>()
  const pullFrom = async (subscription: ChannelSubscription): Promise<void> => {
    if (pulling.has(subscription) || ahead.has(subscription)) return
    pulling.add(subscription)
    try {
      const next = await subscription.take()
      pulling.delete(subscription)
      if (next?.done) {
        claims.delete(subscription)
        endIfEmpty()
      } else if (next && over) subscription.release([next.value])
      else if (next) {
        ahead.set(subscription, next.value)
        merged.push({ subscription, event: next.value })
      }
    } catch (error) {
      pulling.delete(subscription)
      claims.delete(subscription)
      merged.fail(error)
    }
  }
  const finishInHand = (): void => {
    if (autoCommit) for (const { subscription, event } of inHand) subscription.finishEvent(event)
    inHand = []
  }
  const leave = (): void => {
    if (over) return
    over = true
    for (const subscription of claims) {
      const unfinished = inHand.filter((taken) => taken.subscription === subscription).map(({ event }) => event)
      const waiting = ahead.get(subscription)
      subscription.release(waiting ? [...unfinished, waiting] : unfinished)
    }
    claims.clear()
    inHand = []
    left()
  }

  return {
    iterator: {
      async next() {
        finishInHand()
        try {
          const { done, value } = await merged.next()
          if (!done) return { value: value.event, done: false }
        } catch (error) {
          leave()
          throw error
        }
        leave()
        return { value: undefined, done: true }
      },
      return() {
        leave()
        void merged.return()
        return Promise.resolve({ value: undefined, done: true })
      },
      [Symbol.asyncIterator]() {
        return this
      },
    },
    offer(subscription) {
      if (over) return
      if (!claims.has(subscription)) {
        if (subscription.claimed) return
        subscription.claim()
        claims.add(subscription)
      }
      void pullFrom(subscription)
    },
    finish: () => merged.close(),
    stopWhenEmpty() {
      ending = true
      // After the offers of the subscriptions that end with it.
      void Promise.resolve().then(endIfEmpty)
    },
    abort: (reason) => merged.abort(reason),
  }
}
