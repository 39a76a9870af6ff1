import { describe, expect, it } from 'vitest'
import { eachValue } from '../../src/async/each-value.ts'
import { queue } from '../../src/async/queue.ts'

describe('eachValue', () => {
  it('visits every value in order, and ends with them', async () => {
    const values = queue<number>()
    const seen: number[] = []
    const over = eachValue(values, (value) => seen.push(value))
    values.push(1)
    values.push(2)
    await Promise.resolve()
    values.push(3)
    values.finish()
    await over
    expect(seen).toEqual([1, 2, 3])
  })

  it('rejects with what the values end with', async () => {
    const values = queue<number>()
    values.fail(new Error('gone'))
    await expect(eachValue(values, () => {})).rejects.toThrow('gone')
  })

  it('leaves the values when a visit throws', async () => {
    let left = 0
    const values: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false, value: 1 }),
        return: () => {
          left++
          return Promise.resolve({ done: true, value: undefined })
        },
      }),
    }
    const visit = (): void => {
      throw new Error('no more')
    }
    await expect(eachValue(values, visit)).rejects.toThrow('no more')
    expect(left).toBe(1)
  })
})
