import fc from 'fast-check'
import { expect, test } from 'vitest'
import { objectBench } from './object-bench.ts'

const request = (path: string): Request => new Request(`https://object${path}`)

/** A bench whose storage takes its time: some turns for each answer, and what is written counts before that. */
function slowBench(turns: () => number) {
  const bench = objectBench()
  const alarm = { isSet: false }
  const storage = bench.state.storage as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>
  for (const [name, call] of Object.entries(storage)) {
    storage[name] = async (...given) => {
      const result = call(...given)
      if (name === 'setAlarm' || name === 'deleteAlarm') alarm.isSet = name === 'setAlarm'
      for (let left = turns(); left > 0; left--) await undefined
      return result
    }
  }
  return { ...bench, alarm }
}

test('whatever else is asked meanwhile, the last start() or stop() counts', { timeout: 120_000 }, async () => {
  const step = fc.constantFrom('start', 'stop', 'alarm', 'status', 'failure')
  await fc.assert(
    fc.asyncProperty(
      fc.infiniteStream(fc.integer({ min: 0, max: 12 })),
      fc.array(fc.tuple(step, fc.constantFrom(0, 1, 2, 3, 5, 8, 13, 21, 200)), { minLength: 1, maxLength: 8 }),
      fc.constantFrom('start', 'stop'),
      async (delays, steps, last) => {
        const { clock, make, publish, alarm } = slowBench(() => delays.next().value as number)
        let isBroken = false
        const object = make(() => {
          if (isBroken) throw new Error('the database is away')
        })
        const calls: Promise<unknown>[] = [object.start()]
        await clock.advance(2_000)
        const ask = async (what: string, turns: number): Promise<void> => {
          if (what === 'start') calls.push(object.start())
          else if (what === 'stop') calls.push(object.stop())
          else if (what === 'alarm') calls.push(object.alarm())
          else if (what === 'status') calls.push(object.fetch(request('/status')))
          else {
            isBroken = true
            publish(1)
          }
          for (let left = turns; left > 0; left--) await undefined
          if (turns > 100) await clock.advance(1_000)
        }
        for (const [what, turns] of steps) await ask(what, turns)
        isBroken = false
        await ask(last, 0)
        const settled = Promise.all(calls)
        await clock.advance(30_000)
        await settled
        const connected = (): string[] => object.made.map(({ state }) => state).filter((state) => !['idle', 'stopped'].includes(state))
        if (last === 'stop') {
          expect(await object.status()).toMatchObject({ wanted: false, running: false })
          expect(connected()).toEqual([])
          return
        }
        expect(await object.status()).toMatchObject({ wanted: true })
        expect(alarm.isSet).toBe(true)
        await object.alarm()
        await clock.advance(1_000)
        expect(await object.status()).toMatchObject({ wanted: true, running: true })
        expect(connected()).toEqual(['live'])
        const stopped = object.stop()
        await clock.advance(5_000)
        await stopped
      },
    ),
    { numRuns: 200 },
  )
})
