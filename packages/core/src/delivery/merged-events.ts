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

export function mergedEvents(parts: MergedEventsParts): MergedEvents {
  return new TurnTaking(parts)
}

class TurnTaking implements MergedEvents {
  readonly #parts: MergedEventsParts
  /** In the order in which they are served. */
  readonly #ready = new Set<ChannelSubscription>()
  readonly #loops = new Set<Loop>()
  readonly #owners = new Map<ChannelSubscription, Loop>()

  constructor(parts: MergedEventsParts) {
    this.#parts = parts
  }

  get parked(): boolean {
    for (const loop of this.#loops) if (loop.waiting.length > 0) return true
    return false
  }

  iterator(): AsyncIterableIterator<StreamEvent> {
    const loop: Loop = { over: false, finishing: false, error: undefined, inHand: [], waiting: [] }
    this.#loops.add(loop)
    this.#gather()
    return {
      next: () => this.#next(loop),
      return: () => {
        loop.error = undefined
        this.#end(loop)
        return Promise.resolve({ value: undefined, done: true })
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  offer(subscription: ChannelSubscription): void {
    if (this.#loops.size === 0) return
    this.#ready.add(subscription)
    for (const loop of [...this.#loops]) this.#serve(loop)
  }

  forget(subscription: ChannelSubscription): void {
    this.#ready.delete(subscription)
    this.#owners.delete(subscription)
  }

  close(): void {
    for (const loop of [...this.#loops]) this.#end(loop)
  }

  finish(): void {
    for (const loop of [...this.#loops]) {
      loop.finishing = true
      this.#serve(loop)
    }
  }

  abort(reason: unknown): void {
    for (const loop of [...this.#loops]) this.#end(loop, { reason })
  }

  #next(loop: Loop): Promise<IteratorResult<StreamEvent>> {
    const { autoCommit, subscriptions, parked } = this.#parts
    const finished = loop.inHand.splice(0)
    if (autoCommit) for (const { event } of finished) DeliveredEvent.finish(event)
    return new Promise((resolve, reject) => {
      if (loop.over) return settle(loop, { resolve, reject })
      loop.waiting.push({ resolve, reject })
      this.#serve(loop)
      if (loop.waiting.length === 0) return
      for (const subscription of subscriptions) if (!subscription.claimed) subscription.rested()
      parked()
    })
  }

  /** The next event, an end with an error, or nothing yet; takes turns among subscriptions. */
  #take(loop: Loop): Taken | { failed: unknown } | undefined {
    for (const subscription of this.#ready) {
      const owner = this.#owners.get(subscription)
      if (owner && owner !== loop) continue
      this.#ready.delete(subscription)
      if (subscription.claimed) continue
      const event = subscription.take()
      if (event) {
        this.#ready.add(subscription)
        if (!owner) this.#owners.set(subscription, loop)
        return { subscription, event }
      }
      const ending = subscription.takeEnd()
      if (ending) this.#owners.delete(subscription)
      if (ending?.tag === 'error') return { failed: ending.error }
    }
    return undefined
  }

  #end(loop: Loop, error?: Loop['error']): void {
    if (loop.over) return
    loop.over = true
    loop.error = error
    this.#loops.delete(loop)
    for (const { subscription, event } of loop.inHand.splice(0).reverse()) subscription.giveBack(event)
    for (const [subscription, owner] of this.#owners) if (owner === loop) this.#owners.delete(subscription)
    for (const caller of loop.waiting.splice(0)) settle(loop, caller)
    this.#gather()
  }

  #serve(loop: Loop): void {
    while (loop.waiting.length > 0) {
      const next = this.#take(loop)
      if (!next) break
      if ('failed' in next) return this.#end(loop, { reason: next.failed })
      loop.inHand.push(next)
      loop.waiting.shift()?.resolve({ value: next.event, done: false })
    }
    if (loop.waiting.length > 0 && loop.finishing) this.#end(loop)
  }

  /** Whatever has come while nobody looked. */
  #gather(): void {
    this.#ready.clear()
    if (this.#loops.size === 0) return
    for (const subscription of this.#parts.subscriptions) if (!subscription.claimed) this.#ready.add(subscription)
    for (const loop of [...this.#loops]) this.#serve(loop)
  }
}

function settle(loop: Loop, { resolve, reject }: Settle): void {
  if (!loop.error) return resolve({ value: undefined, done: true })
  const { reason } = loop.error
  loop.error = undefined
  reject(reason)
}
