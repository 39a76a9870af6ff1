import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { queue } from '../../src/async/queue.ts'

type Call = 'push' | 'next' | 'take' | 'putBack' | 'finish' | 'fail' | 'close' | 'abort' | 'return'

describe('queue', () => {
  test('whatever is called in whatever order: values in order and once, every next() settles once it has ended, the end is told once', async () => {
    const calls = fc.array(
      fc.constantFrom<Call>('push', 'push', 'push', 'next', 'next', 'take', 'putBack', 'finish', 'fail', 'close', 'abort', 'return'),
      {
        maxLength: 40,
      },
    )
    await fc.assert(
      fc.asyncProperty(calls, async (plan) => {
        let ends = 0
        let handedOut = 0
        const values = queue<number>({ taken: () => handedOut++, ended: () => ends++ })
        const results: Promise<unknown>[] = []
        const seen: number[] = []
        let value = 0
        let pushed = 0
        let errors = 0
        const next = (): void => {
          results.push(
            values.next().then(
              (result) => {
                if (!result.done) seen.push(result.value)
              },
              () => errors++,
            ),
          )
        }
        let ended = false
        for (const call of plan) {
          if (call === 'push') {
            value++
            if (!ended) pushed++
            values.push(value)
          } else if (call === 'next') next()
          else if (call === 'take') {
            const taken = values.take()
            if (taken !== undefined) seen.push(taken)
          } else if (call === 'putBack') {
            const taken = values.take()
            if (taken !== undefined) values.putBack([taken])
          } else {
            ended = true
            if (call === 'finish') values.finish()
            else if (call === 'fail') values.fail(new Error('fault'))
            else if (call === 'close') values.close()
            else if (call === 'abort') values.abort(new Error('abort'))
            else results.push(values.return())
          }
          await Promise.resolve()
        }
        values.finish()
        for (let times = 0; times <= value; times++) next()
        await Promise.all(results)
        expect(seen).toEqual([...seen].sort((a, b) => a - b))
        expect(new Set(seen).size).toBe(seen.length)
        expect(seen.length).toBeLessThanOrEqual(pushed)
        expect(handedOut).toBeGreaterThanOrEqual(seen.length)
        expect(errors).toBeLessThanOrEqual(1)
        expect(ends).toBe(1)
        expect(values.size).toBe(0)
      }),
      { numRuns: 500 },
    )
  })

  test('a long one is not quadratic in memory: taken values are let go of', async () => {
    const values = queue<object>()
    for (let at = 0; at < 5_000; at++) values.push({ at })
    for (let at = 0; at < 4_000; at++) expect((await values.next()).value).toEqual({ at })
    expect(values.size).toBe(1_000)
    values.putBack([{ at: 3_998 }, { at: 3_999 }])
    expect([values.take(), values.take(), values.take()]).toEqual([{ at: 3_998 }, { at: 3_999 }, { at: 4_000 }])
  })

  test('a hook that ends the queue while it hands out loses neither the value nor the end', async () => {
    const values = queue<number>({ taken: () => values.close() })
    const [first, second] = [values.next(), values.next()]
    values.push(1)
    expect(await first).toEqual({ value: 1, done: false })
    expect(await second).toEqual({ value: undefined, done: true })
  })

  test('takeEnd() tells an error once, and only when nothing is buffered', () => {
    const values = queue<number>()
    const error = new Error('fault')
    values.push(1)
    values.fail(error)
    expect(values.takeEnd()).toBeUndefined()
    values.take()
    expect(values.takeEnd()).toEqual({ tag: 'error', error })
    expect(values.takeEnd()).toEqual({ tag: 'done' })
  })
})
