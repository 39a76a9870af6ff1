import { type Queue, queue } from '../async/queue.ts'
import type { StreamEvent } from '../events/stream-event.ts'
import { DeliveredEvent } from './delivered-event.ts'
import type { Shared } from './delivery.ts'
import type { LiveSubscription } from './live-subscription.ts'

/** One loop over all subscriptions. Its queue knows who waits, and how it ends; an event is put there when somebody waits for it. */
interface Loop {
  readonly events: Queue<StreamEvent>
  /** It ends once nothing is left. */
  finishing: boolean
  /** Its round is under way. */
  serving: boolean
  readonly inHand: { subscription: LiveSubscription; event: DeliveredEvent }[]
}

/**
 * Loops over every subscription that has none of its own. Nothing is taken before it is asked for, so a subscription
 * that gets its own loop simply has it; leaving gives back the event still in hand. With several such loops, each
 * channel stays with the one that took from it first: two would part its order.
 */
export class MergedEvents {
  readonly #shared: Shared
  /** Subscriptions that may have something to give, in the order in which they are served. */
  readonly #ready = new Set<LiveSubscription>()
  readonly #loops = new Set<Loop>()

  constructor(shared: Shared) {
    this.#shared = shared
  }

  /** A loop waits for an event. */
  get parked(): boolean {
    for (const loop of this.#loops) if (loop.events.parked) return true
    return false
  }

  iterator(): AsyncIterableIterator<StreamEvent> {
    const events = queue<StreamEvent>({ parked: () => this.#parked(loop) })
    const loop: Loop = { events, finishing: false, serving: false, inHand: [] }
    this.#loops.add(loop)
    this.#gather()
    return {
      next: () => {
        for (const { event } of loop.inHand.splice(0)) if (this.#shared.autoCommit) DeliveredEvent.finish(event)
        return events.next()
      },
      return: () => {
        this.#end(loop)
        return events.return()
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  /** A subscription has an event or its end to give. */
  offer(subscription: LiveSubscription): void {
    if (this.#loops.size === 0) return
    this.#ready.add(subscription)
    for (const loop of this.#loops) this.#serve(loop)
  }

  forget(subscription: LiveSubscription): void {
    this.#ready.delete(subscription)
  }

  /** Ends every loop now, or rejects it. */
  end(error?: { reason: unknown }): void {
    for (const loop of this.#loops) this.#end(loop, error)
  }

  /** Ends every loop once no subscription has anything left for it. */
  finish(): void {
    for (const loop of this.#loops) {
      loop.finishing = true
      this.#serve(loop)
    }
  }

  #parked(loop: Loop): void {
    this.#serve(loop)
    if (!loop.events.parked) return
    for (const subscription of this.#shared.subscriptions) if (!subscription.claimed) subscription.rested()
    this.#shared.pressure.consumerWaits()
  }

  #serve(loop: Loop): void {
    const { events, inHand } = loop
    // To take an event may be the end of a drain, which is offered in turn: a round within the round would hand out another event first.
    if (loop.serving) return
    loop.serving = true
    try {
      // Who has given an event is the last to be asked for another.
      for (const subscription of this.#ready) {
        if (!events.parked) return
        if (subscription.loop && subscription.loop !== loop) continue
        this.#ready.delete(subscription)
        if (subscription.claimed) continue
        const event = subscription.take()
        if (event) {
          this.#ready.add(subscription)
          subscription.loop = loop
          inHand.push({ subscription, event })
          events.push(event)
          continue
        }
        const ending = subscription.takeEnd()
        if (ending) subscription.loop = undefined
        if (ending?.tag === 'error') return this.#end(loop, { reason: ending.error })
      }
      if (loop.finishing && events.parked && !this.#awaits(loop)) this.#end(loop)
    } finally {
      loop.serving = false
    }
  }

  /** Payloads that are still being checked will be offered, and so will the end after them. */
  #awaits(loop: Loop): boolean {
    return this.#shared.subscriptions.some((each) => !each.claimed && each.buffered > 0 && (each.loop ?? loop) === loop)
  }

  #end(loop: Loop, error?: { reason: unknown }): void {
    if (!this.#loops.delete(loop)) return
    for (const { subscription, event } of loop.inHand.splice(0).reverse()) subscription.giveBack(event)
    for (const subscription of this.#shared.subscriptions) if (subscription.loop === loop) subscription.loop = undefined
    if (error) loop.events.abort(error.reason)
    else loop.events.close()
    this.#gather()
  }

  /** Whatever has come while nobody looked. */
  #gather(): void {
    this.#ready.clear()
    if (this.#loops.size === 0) return
    for (const subscription of this.#shared.subscriptions) if (!subscription.claimed) this.#ready.add(subscription)
    for (const loop of this.#loops) this.#serve(loop)
  }
}
