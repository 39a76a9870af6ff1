import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lowWaterMark, type Slot } from '../../src/delivery/low-water-mark.ts'
import type { ReplayId } from '../../src/index.ts'

const slot = (replayId: ReplayId | undefined): Slot => ({
  replayId,
  createdDate: undefined,
  finished: false,
  passed: false,
  waiting: undefined,
})

/** Replies of groups of equal ids; a reply may be cut inside its last group, which then goes on in the next. */
const replies = fc
  .array(fc.record({ groups: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }), cut: fc.boolean() }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((shapes) => {
    let id = 0
    let goesOn = false
    return shapes.map(({ groups, cut }) => {
      const ids = groups.flatMap((size, at) => {
        if (!(goesOn && at === 0)) id++
        return Array.from({ length: size }, () => id)
      })
      goesOn = cut
      return { ids, cut }
    })
  })

test('the position never passes an unfinished event or an incomplete group, and reaches the end when all is finished', () => {
  fc.assert(
    fc.property(replies, fc.infiniteStream(fc.nat()), fc.boolean(), (plan, random, eager) => {
      const mark = lowWaterMark(() => {})
      const received: Slot[] = []
      let openId: ReplayId | undefined
      const draw = (): number => random.next().value as number
      const check = (): void => {
        const at = mark.position?.replayId
        if (at === undefined) return
        for (const each of received) if (!each.finished) expect(Number(each.replayId)).toBeGreaterThan(Number(at))
        if (openId !== undefined) expect(at).not.toBe(openId)
      }
      const finishOne = (): void => {
        const open = received.filter((each) => !each.finished)
        const chosen = open[draw() % Math.max(1, open.length)]
        if (chosen) mark.finish(chosen)
        check()
      }
      for (const { ids, cut } of plan) {
        for (const id of ids) {
          const each = slot(id)
          received.push(each)
          mark.received(each)
          // While a reply is taken in, more of its last id may follow.
          openId = id
          if (eager) finishOne()
        }
        openId = cut ? ids.at(-1) : undefined
        mark.replyEnded(openId)
        check()
        for (let times = draw() % 4; times > 0; times--) finishOne()
      }
      while (received.some((each) => !each.finished)) finishOne()
      openId = undefined
      mark.replyEnded(undefined)
      expect(mark.position?.replayId).toBe(received.at(-1)?.replayId)
      expect(mark.unfinished).toBe(0)
    }),
    { numRuns: 500 },
  )
})

test('it is as far as it may be: everything before the first unfinished group', () => {
  const mark = lowWaterMark(() => {})
  const all = [1, 2, 2, 3, 3].map(slot) as [Slot, Slot, Slot, Slot, Slot]
  for (const each of all) mark.received(each)
  mark.replyEnded(undefined)
  mark.finish(all[1])
  expect(mark.position).toBeUndefined()
  mark.finish(all[0])
  expect(mark.position).toEqual({ replayId: 1 })
  mark.finish(all[2])
  expect(mark.position).toEqual({ replayId: 2 })
  mark.finish(all[3])
  expect(mark.position).toEqual({ replayId: 2 })
})

test('events without an id are passed and move nothing', () => {
  const passed: Slot[] = []
  const mark = lowWaterMark((each) => passed.push(each))
  const all = [slot(undefined), slot(5), slot(undefined)]
  for (const each of all) {
    each.waiting = {} as never
    mark.received(each)
  }
  mark.replyEnded(undefined)
  for (const each of all) mark.finish(each)
  expect(passed).toEqual(all)
  expect(mark.position).toEqual({ replayId: 5 })
})

test('a long run keeps no slots', () => {
  const mark = lowWaterMark(() => {})
  for (let id = 1; id <= 10_000; id++) {
    const each = slot(id)
    mark.received(each)
    mark.replyEnded(undefined)
    mark.finish(each)
  }
  expect(mark.unfinished).toBe(0)
  expect(mark.position).toEqual({ replayId: 10_000 })
})
