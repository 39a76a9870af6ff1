import { systemClock, virtualClock } from '@sfstream/mock-org'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

describe('virtualClock', () => {
  it('fires timers in order of time, then of arming', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 }), async (delays) => {
        const clock = virtualClock({ startMs: 1_000 })
        const fired: [number, number][] = []
        delays.forEach((delay, index) => {
          clock.delay(() => fired.push([clock.now() - 1_000, index]), delay)
        })
        await clock.advance(50)
        const expected = delays.map((delay, index): [number, number] => [delay, index]).sort((a, b) => a[0] - b[0] || a[1] - b[1])
        expect(fired).toEqual(expected)
        expect(clock.now()).toBe(1_050)
        expect(clock.pending).toBe(0)
      }),
      { numRuns: 50 },
    )
  })

  it('fires timers armed by promise and stream work of an earlier timer within the same advance', async () => {
    const clock = virtualClock()
    const start = clock.now()
    const seen: string[] = []
    clock.delay(() => {
      void new Response('body').text().then((text) => clock.delay(() => seen.push(`${text}@${clock.now() - start}`), 10))
    }, 5)
    await clock.advance(20)
    expect(seen).toEqual(['body@15'])
  })

  it('never fires a cancelled timer, and counts what is pending', async () => {
    const clock = virtualClock()
    let fired = false
    const cancel = clock.delay(() => (fired = true), 5)
    expect(clock.pending).toBe(1)
    cancel()
    cancel()
    expect(clock.pending).toBe(0)
    await clock.advance(10)
    expect(fired).toBe(false)
  })

  it('runs from timer to timer until a condition holds', async () => {
    const clock = virtualClock()
    const start = clock.now()
    let ticks = 0
    const tick = (): void => {
      ticks += 1
      clock.delay(tick, 110_000)
    }
    tick()
    await clock.runUntil(() => ticks === 4)
    expect(clock.now() - start).toBe(330_000)
  })

  it('says the time and the pending timers when the limit passes', async () => {
    const clock = virtualClock()
    clock.delay(() => undefined, 5_000)
    await expect(clock.runUntil(() => false, 1_000)).rejects.toThrow(/not within 1000 ms .* 1 timers pending, next at \+5000 ms/)
  })

  it('says so when nothing is left to wait for', async () => {
    const clock = virtualClock()
    await expect(clock.runUntil(() => false)).rejects.toThrow(/nothing is left to wait for/)
  })

  it('stands still while tracked work takes real time', async () => {
    const clock = virtualClock()
    const seen: string[] = []
    const work = clock.track(new Promise<void>((resolve) => setTimeout(resolve, 20)))
    void work.then(() => seen.push('work'))
    clock.delay(() => seen.push('timer'), 1)
    await clock.advance(1)
    expect(seen).toEqual(['work', 'timer'])
  })

  it('refuses two advances at once', async () => {
    const clock = virtualClock()
    const first = clock.advance(1)
    await expect(clock.advance(1)).rejects.toThrow(/already being advanced/)
    await first
  })

  it('gives the same numbers for the same seed', () => {
    const numbers = (seed: number): number[] => {
      const clock = virtualClock({ seed })
      return Array.from({ length: 100 }, () => clock.random())
    }
    expect(numbers(7)).toEqual(numbers(7))
    expect(numbers(7)).not.toEqual(numbers(8))
    expect(numbers(7).every((number) => number >= 0 && number < 1)).toBe(true)
  })
})

describe('systemClock', () => {
  it('follows the machine', async () => {
    const clock = systemClock()
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000)
    await new Promise<void>((resolve) => clock.delay(resolve, 1))
    let fired = false
    clock.delay(() => (fired = true), 1)()
    await new Promise<void>((resolve) => clock.delay(resolve, 5))
    expect(fired).toBe(false)
  })
})
