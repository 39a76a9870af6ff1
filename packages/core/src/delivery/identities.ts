/** How many events back a repeat is recognised. */
const remembered = 10_000

type Identity = string | number | undefined

/**
 * Drops what our own resubscribing delivers twice: consulted from a resubscribe until the first unseen event, so that
 * what the org itself publishes twice always passes. [PROTOCOL D3]
 */
export class Identities {
  /** A ring, once it is full: to move ten thousand at a time is what collections would be busy with. */
  #known: Identity[] = []
  #oldest = 0
  #seen: Set<Identity> | undefined

  /** Whether the event was received before; otherwise remembers it. */
  repeats(identity: Identity): boolean {
    if (this.#seen) {
      if (identity !== undefined && this.#seen.has(identity)) return true
      this.#seen = undefined
    }
    if (this.#known.length < remembered) this.#known.push(identity)
    else this.#known[this.#oldest++ % remembered] = identity
    return false
  }

  /** A resubscribe: repeats may follow. */
  resubscribed(): void {
    this.#seen = new Set(this.#known)
  }

  /** Replay ids mean something else from now on; uuids still hold. */
  forgetReplayIds(): void {
    const oldest = this.#oldest % remembered
    this.#oldest = 0
    const inOrder = [...this.#known.slice(oldest), ...this.#known.slice(0, oldest)]
    this.#known = inOrder.filter((identity) => typeof identity === 'string' && !isOfReplayId.test(identity))
    if (this.#seen) this.resubscribed()
  }
}

/** Digits, or digits and a record id: `identityOf` in event-fields.ts. */
const isOfReplayId = /^\d+( |$)/
