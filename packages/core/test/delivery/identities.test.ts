import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Identities } from '../../src/delivery/identities.ts'

const remembered = 10_000

describe('identities [PROTOCOL D3]', () => {
  it('remembers the last 10,000, whatever came before them', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 12_000 }), { minLength: 1, maxLength: 4 }), fc.boolean(), (runs, forgets) => {
        const identities = new Identities()
        let known: (string | number)[] = []
        let next = 0
        for (const count of runs) {
          for (let at = 0; at < count; at++, next++) {
            const identity = next % 2 === 0 ? `uuid-${next}` : next
            expect(identities.repeats(identity)).toBe(false)
            known.push(identity)
          }
          known = known.slice(-remembered)
          if (!forgets) continue
          identities.forgetReplayIds()
          known = known.filter((identity) => typeof identity === 'string')
        }
        identities.resubscribed()
        expect(known.every((identity) => identities.repeats(identity))).toBe(true)
        identities.resubscribed()
        expect(identities.repeats(`uuid-${next - 2 * remembered - 2}`)).toBe(false)
      }),
      { numRuns: 20 },
    )
  })

  it('what is older is no repeat', () => {
    const identities = new Identities()
    for (let at = 0; at <= remembered; at++) identities.repeats(at)
    identities.resubscribed()
    expect(identities.repeats(1)).toBe(true)
    expect(identities.repeats(0)).toBe(false)
  })
})
