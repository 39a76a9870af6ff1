import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { conditions, TooLate } from '../src/demo/conditions.ts'
import { Stopped } from '../src/stopped.ts'

describe('the conditions of the demo', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('resolve at once, or when something has changed', async () => {
    const waiting = conditions(1_000)
    let done = false
    await waiting.until('nothing', () => true)
    const wait = waiting.until('done', () => done)
    waiting.changed()
    done = true
    waiting.changed()
    await wait
    waiting.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('past the deadline say what did not come, those asked for later too', async () => {
    const waiting = conditions(90_000)
    const first = expect(waiting.until('the token', () => false)).rejects.toThrow('90 s have passed, and this did not come: the token.')
    vi.advanceTimersByTime(90_000)
    await first
    await expect(waiting.until('more', () => true)).rejects.toBeInstanceOf(TooLate)
  })

  it('fail with the first reason given', async () => {
    const waiting = conditions(1_000)
    const wait = expect(waiting.until('done', () => false)).rejects.toBeInstanceOf(Stopped)
    waiting.fail(new Stopped())
    waiting.fail(new Error('later'))
    await wait
    await expect(waiting.until('more', () => true)).rejects.toBeInstanceOf(Stopped)
    waiting.close()
  })
})
