/** Counts who asks that nothing more be fetched. */
export interface Holds {
  readonly held: boolean
  hold(): () => void
}

/** `released` is called when the last one lets go. */
export function holds(released: () => void): Holds {
  let count = 0
  return {
    get held() {
      return count > 0
    },
    hold() {
      count++
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        if (--count === 0) released()
      }
    },
  }
}
