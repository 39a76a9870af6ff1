import { describe, expect, it } from 'vitest'
import { queue } from '../../src/async/queue.ts'
import { visits } from '../../src/async/visits.ts'

async function visitAll<T>(values: AsyncIterable<T>, visit: (value: T) => void): Promise<void> {
  const visitNext = visits(values, visit)
  while (await visitNext()) {}
}

describe('visits', () => {
  it('visits every value in order, and ends with them', async () => {
    const values = queue<number>()
    const seen: number[] = []
    const over = visitAll(values, (value) => seen.push(value))
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
    await expect(visitAll(values, () => {})).rejects.toThrow('gone')
  })

  it('rejects with what a visit throws, and asks for no more', async () => {
    const values = queue<number>()
    values.push(1)
    values.push(2)
    const visit = (): void => {
      throw new Error('no more')
    }
    await expect(visitAll(values, visit)).rejects.toThrow('no more')
    expect(values.size).toBe(1)
  })
})
