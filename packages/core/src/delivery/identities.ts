/** How many events back a repeat is recognised. */
const remembered = 10_000
/** They are forgotten in bulk. */
const spare = 1_000

type Identity = string | number | undefined

/**
 * Drops what our own resubscribing delivers twice: consulted from a resubscribe until the first unseen event, so that
 * what the org itself publishes twice always passes. [PROTOCOL D3]
 */
export class Identities {
  /** In order of age. */
  #known: Identity[] = []
  #seen: Set<Identity> | undefined

  /** Whether the event was received before; otherwise remembers it. */
  repeats(identity: Identity): boolean {
    if (this.#seen) {
      if (identity !== undefined && this.#seen.has(identity)) return true
      this.#seen = undefined
    }
    if (this.#known.push(identity) > remembered + spare) this.#known = this.#known.slice(-remembered)
    return false
  }

  /** A resubscribe: repeats may follow. */
  resubscribed(): void {
    this.#seen = new Set(this.#known.slice(-remembered))
  }

  /** Replay ids mean something else from now on; uuids still hold. */
  forgetReplayIds(): void {
    this.#known = this.#known.filter((identity) => typeof identity === 'string' && !isOfReplayId.test(identity))
    if (this.#seen) this.resubscribed()
  }
}

/** Digits, or digits and a record id: `identityOf` in event-fields.ts. */
const isOfReplayId = /^\d+( |$)/
