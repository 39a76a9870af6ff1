import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventWindow, type WindowItem } from '../../src/fan-out/event-window.ts'

const item: fc.Arbitrary<WindowItem<number>> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('event' as const),
      position: fc.option(fc.nat(1_000), { nil: undefined }),
      value: fc.nat(),
      bytes: fc.integer({ min: 1, max: 50 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'resubscribed' as const }) },
)

test('keeps the newest items within its bounds, one at least, and knows where each position was reached', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(item, { maxLength: 20 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 500 }),
      (batches, maxEvents, maxBytes) => {
        const window = eventWindow<number>({ maxEvents, maxBytes })
        const all: WindowItem<number>[] = []
        for (const batch of batches) {
          window.push(batch)
          all.push(...batch)
          expect(window.end).toBe(all.length)
          const kept = all.slice(window.start)
          expect(kept.map((_, at) => window.at(window.start + at))).toEqual(kept)
          expect(window.at(window.end)).toBeUndefined()
          const bytes = kept.reduce((sum, each) => sum + (each.type === 'event' ? each.bytes : 0), 0)
          expect(kept.length <= 1 || (kept.length <= maxEvents && bytes <= maxBytes)).toBe(true)
          // Nothing is dropped before it has to be.
          const before = all[window.start - 1]
          if (before) expect(kept.length + 1 > maxEvents || bytes + (before.type === 'event' ? before.bytes : 0) > maxBytes).toBe(true)
          for (let position = 0; position <= 1_000; position += 37) {
            const last = all.reduce((found, each, index) => (each.type === 'event' && each.position === position ? index : found), -1)
            expect(window.after(position)).toBe(last >= window.start ? last + 1 : undefined)
          }
        }
      },
    ),
  )
})
