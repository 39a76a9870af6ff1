/** How many events back a repeat is recognised. */
const remembered = 10_000

type Identity = string | number | undefined

/**
 * Drops what our own resubscribing delivers twice: consulted from a resubscribe until the first unseen event, so that
 * what the org itself publishes twice always passes. [PROTOCOL D3]
 */
export interface Identities {
  /** Whether the event was received before; otherwise remembers it. */
  repeats(identity: Identity): boolean
  /** A resubscribe: repeats may follow. */
  resubscribed(): void
  /** Replay ids mean something else from now on; uuids still hold. */
  forgetReplayIds(): void
}

export function identities(): Identities {
  return new RememberedIdentities()
}

class RememberedIdentities implements Identities {
  #ring: Identity[] = []
  #at = 0
  #seen: Set<Identity> | undefined

  repeats(identity: Identity): boolean {
    if (this.#seen) {
      if (identity !== undefined && this.#seen.has(identity)) return true
      this.#seen = undefined
    }
    this.#ring[this.#at] = identity
    this.#at = (this.#at + 1) % remembered
    return false
  }

  resubscribed(): void {
    this.#seen = this.#ring.length > 0 ? new Set(this.#ring) : undefined
  }

  forgetReplayIds(): void {
    // In order of age, so that the oldest goes first again.
    this.#ring = [...this.#ring.slice(this.#at), ...this.#ring.slice(0, this.#at)].filter(
      (identity) => typeof identity === 'string' && !isOfReplayId.test(identity),
    )
    this.#at = this.#ring.length % remembered
    if (this.#seen) this.#seen = new Set(this.#ring)
  }
}

/** Digits, or digits and a record id: `identityOf` in event-fields.ts. */
const isOfReplayId = /^\d+( |$)/
