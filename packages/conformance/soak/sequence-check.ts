export interface SequenceCounts {
  /** Events handled the first time. */
  handled: number
  /** Events handled once more. */
  repeated: number
  /** Events handled after a later one. */
  disordered: number
  /** Numbers that were passed over and have not come since. */
  missing: number
}

export interface SequenceCheck extends SequenceCounts {
  take(number: number): void
}

/** Compares the numbers 1, 2, 3, … of one channel's events with what arrives. Its memory is the numbers missing now. */
export function sequenceCheck(): SequenceCheck {
  const passedOver = new Set<number>()
  let expected = 1
  const check: SequenceCheck = {
    handled: 0,
    repeated: 0,
    disordered: 0,
    get missing() {
      return passedOver.size
    },
    take(number) {
      if (!Number.isSafeInteger(number) || number < 1) throw new Error(`An event without a number arrived: ${number}.`)
      if (number < expected) {
        if (passedOver.delete(number)) {
          check.handled += 1
          check.disordered += 1
        } else check.repeated += 1
        return
      }
      for (; expected < number; expected += 1) passedOver.add(expected)
      expected += 1
      check.handled += 1
    },
  }
  return check
}
