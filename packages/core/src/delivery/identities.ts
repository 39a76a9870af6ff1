/** How many events back a repeat is recognised. */
const remembered = 10_000
/** How many are put together. */
const blockSize = 500

/** Where an event has none, a block has null. */
type Identity = string | number | null | undefined

/**
 * Drops what our own resubscribing delivers twice: consulted from a resubscribe until the first unseen event, so that
 * what the org itself publishes twice always passes. [PROTOCOL D3]
 */
export class Identities {
  #newest: Identity[] = []
  /** Those before, as the bytes of JSON, which is exact: ten thousand strings would be copied by every collection that finds them. */
  #blocks: Uint8Array[] = []
  #seen: Set<Identity> | undefined

  /** Whether the event was received before; otherwise remembers it. */
  repeats(identity: string | number | undefined): boolean {
    if (this.#seen) {
      if (identity !== undefined && this.#seen.has(identity)) return true
      this.#seen = undefined
    }
    if (this.#newest.push(identity) < blockSize) return false
    if (this.#blocks.push(block(this.#newest)) > remembered / blockSize) this.#blocks.shift()
    this.#newest = []
    return false
  }

  /** A resubscribe: repeats may follow. */
  resubscribed(): void {
    this.#seen = new Set(this.#known())
  }

  /** Replay ids mean something else from now on; uuids still hold. */
  forgetReplayIds(): void {
    this.#newest = this.#known().filter((identity) => typeof identity === 'string' && !isOfReplayId.test(identity))
    this.#blocks = []
    if (this.#seen) this.resubscribed()
  }

  #known(): Identity[] {
    return [...this.#blocks.flatMap(identities), ...this.#newest].slice(-remembered)
  }
}

function block(identities: Identity[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(identities))
}

function identities(block: Uint8Array): Identity[] {
  return JSON.parse(new TextDecoder().decode(block)) as Identity[]
}

/** Digits, or digits and a record id: `identityOf` in event-fields.ts. */
const isOfReplayId = /^\d+( |$)/
