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
  let ring: Identity[] = []
  let at = 0
  let seen: Set<Identity> | undefined
  return {
    repeats(identity) {
      if (seen) {
        if (identity !== undefined && seen.has(identity)) return true
        seen = undefined
      }
      ring[at] = identity
      at = (at + 1) % remembered
      return false
    },
    resubscribed() {
      seen = ring.length > 0 ? new Set(ring) : undefined
    },
    forgetReplayIds() {
      // In order of age, so that the oldest goes first again.
      ring = [...ring.slice(at), ...ring.slice(0, at)].filter((identity) => typeof identity === 'string' && !isOfReplayId.test(identity))
      at = ring.length % remembered
      if (seen) seen = new Set(ring)
    },
  }
}

/** Digits, or digits and a record id: `identityOf` in event-fields.ts. */
const isOfReplayId = /^\d+( |$)/
