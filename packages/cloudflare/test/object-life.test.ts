import fc from 'fast-check'
import { expect, test } from 'vitest'
import { objectWorld } from './object-world.ts'

const what = fc.constantFrom(
  'evict',
  'start',
  'restart',
  'status',
  'put',
  'get',
  'setAlarm',
  'mend',
  'fail',
  'slow',
  'lose',
  'events',
  'events',
)
const steps = fc.array(fc.tuple(what, fc.constantFrom(0, 1, 20, 300, 2_000, 11_000, 40_000)), { minLength: 1, maxLength: 25 })

test('an object that was started handles everything, whatever befalls it between two writes', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.infiniteStream(fc.integer({ min: 0, max: 30 })), async (taken, latencies) => {
      const world = objectWorld(() => latencies.next().value as number)
      const { clock, org, broken, handler } = world
      /** A start() that is refused, or was evicted with its object, is its caller's to ask again. */
      let accepted: unknown
      let last: unknown
      const start = (): void => {
        const mine = world.object.start()
        last = mine
        mine.then(
          () => {
            accepted = mine
          },
          () => {},
        )
      }
      const ignored = (call: Promise<unknown>): void => void call.catch(() => {})
      start()
      for (const [step, ms] of taken) {
        if (step === 'evict') world.evict()
        else if (step === 'start') start()
        else if (step === 'restart') {
          ignored(world.object.stop())
          start()
        } else if (step === 'status') ignored(world.object.fetch(new Request('https://object/status')))
        else if (step === 'mend') broken.clear()
        else if (step === 'fail') handler.failures = 1
        else if (step === 'slow') handler.slowMs = 900 - handler.slowMs
        else if (step === 'lose') org.faults.loseSessions()
        else if (step === 'events') world.publish()
        else broken.add(step)
        // An alarm that can be set by nobody for minutes, until the runtime gives up, is lost: only a request brings the object back.
        await clock.advance(step === 'setAlarm' ? Math.min(ms, 11_000) : ms)
        broken.delete('setAlarm')
      }
      broken.clear()
      Object.assign(handler, { slowMs: 0, failures: 0 })
      world.publish()
      if (!(world.wanted || accepted === last)) start()
      // As long as the longest pause after failures.
      await clock.runUntil(world.isDone, 4_000_000)
      expect(world.problems).toEqual([])
    }),
    { numRuns: 250 },
  )
})
