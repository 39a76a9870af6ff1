import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ledger, type Slot } from '../../src/delivery/ledger.ts'
import type { PositionWriter, ReachedPosition } from '../../src/delivery/position-writer.ts'
import type { ReplayId } from '../../src/index.ts'

/** A ledger over a writer that only remembers the newest position. */
function bench() {
  const written: ReachedPosition[] = []
  const writer = {
    open: () => 1,
    write(position: ReachedPosition) {
      written.push(position)
      return true
    },
    flush: () => Promise.resolve(),
    close() {},
  }
  const ledger = new Ledger({ channel: '/event/Order__e', eased() {} }, writer as unknown as PositionWriter)
  const receive = (replayId: ReplayId | undefined): Slot => ledger.received(replayId, undefined)
  return { ledger, receive, written, position: () => written.at(-1)?.replayId }
}

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
      const { ledger, receive, position } = bench()
      const received: Slot[] = []
      let openId: ReplayId | undefined
      const draw = (): number => random.next().value as number
      const check = (): void => {
        const at = position()
        if (at === undefined) return
        for (const each of received) if (!each.finished) expect(Number(each.replayId)).toBeGreaterThan(Number(at))
        if (openId !== undefined) expect(at).not.toBe(openId)
      }
      const finishOne = (): void => {
        const open = received.filter((each) => !each.finished)
        const chosen = open[draw() % Math.max(1, open.length)]
        if (chosen) ledger.finish(chosen)
        check()
      }
      for (const { ids, cut } of plan) {
        for (const id of ids) {
          received.push(receive(id))
          // While a reply is taken in, more of its last id may follow.
          openId = id
          if (eager) finishOne()
        }
        openId = cut ? ids.at(-1) : undefined
        ledger.replyEnded(openId)
        check()
        for (let times = draw() % 4; times > 0; times--) finishOne()
      }
      while (received.some((each) => !each.finished)) finishOne()
      openId = undefined
      ledger.replyEnded(undefined)
      expect(position()).toBe(received.at(-1)?.replayId)
      expect(ledger.unfinished).toBe(0)
    }),
    { numRuns: 500 },
  )
})

test('it is as far as it may be: everything before the first unfinished group', () => {
  const { ledger, receive, position } = bench()
  const all = [1, 2, 2, 3, 3].map(receive) as [Slot, Slot, Slot, Slot, Slot]
  ledger.replyEnded(undefined)
  ledger.finish(all[1])
  expect(position()).toBeUndefined()
  ledger.finish(all[0])
  expect(position()).toBe(1)
  ledger.finish(all[2])
  expect(position()).toBe(2)
  ledger.finish(all[3])
  expect(position()).toBe(2)
})

test('events without an id are passed and move nothing', async () => {
  const { ledger, receive, position } = bench()
  const all = [undefined, 5, undefined].map(receive)
  ledger.replyEnded(undefined)
  await Promise.all(all.reverse().map((each) => ledger.commit(each)))
  expect(all.map((each) => each.passed)).toEqual([true, true, true])
  expect(position()).toBe(5)
})

test('an event without an id that stands in a group does not part it', async () => {
  const { ledger, receive, position } = bench()
  const [first, amid, second, after] = [5, undefined, 5, 6].map(receive) as [Slot, Slot, Slot, Slot]
  void ledger.commit(first)
  ledger.replyEnded(undefined)
  expect(position()).toBeUndefined()
  void ledger.commit(amid)
  expect(position()).toBeUndefined()
  await ledger.commit(second)
  expect(position()).toBe(5)
  await ledger.commit(after)
  expect(position()).toBe(6)
})

test('nor one that comes first after a reply that broke off inside it', async () => {
  const { ledger, receive, position } = bench()
  const first = receive(5)
  ledger.replyEnded(5)
  await ledger.commit(first)
  const amid = receive(undefined)
  const second = receive(5)
  ledger.replyEnded(undefined)
  await ledger.commit(amid)
  expect(position()).toBeUndefined()
  await ledger.commit(second)
  expect(position()).toBe(5)
})

test('a long run keeps no slots, and who holds the first holds none of the later ones', () => {
  const { ledger, receive, position } = bench()
  const all: Slot[] = []
  for (let id = 1; id <= 10_000; id++) {
    const each = receive(id)
    all.push(each)
    ledger.replyEnded(undefined)
    ledger.finish(each)
  }
  expect(ledger.unfinished).toBe(0)
  expect(position()).toBe(10_000)
  expect(all.every((each) => each.next === undefined)).toBe(true)
})
