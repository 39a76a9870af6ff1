import { virtualClock } from '@sfstream/mock-org'
import { describe, expect, test } from 'vitest'
import { pollHold } from '../../src/bayeux/session/poll-hold.ts'

describe('poll hold [PROTOCOL B1]', () => {
  const begin = () => {
    const clock = virtualClock()
    const holding = pollHold({ ...clock, fetch: () => Promise.reject(new Error('no network here')) })
    const wait = (signal = new AbortController().signal): { over: boolean } => {
      const seen = { over: false }
      holding.untilFree(signal).then(
        () => (seen.over = true),
        () => {},
      )
      return seen
    }
    return { clock, holding, wait }
  }

  test('whoever waits is let go with the last hold, and after 26 s in any case', async () => {
    const { clock, holding, wait } = begin()
    const [letGo, letGoToo] = [holding.hold(), holding.hold()]
    const released = wait()
    letGo()
    letGo()
    await clock.settle()
    expect(released.over).toBe(false)
    letGoToo()
    await clock.settle()
    expect(released.over).toBe(true)
    holding.hold()
    const late = wait()
    await clock.advance(25_999)
    expect(late.over).toBe(false)
    await clock.advance(1)
    expect(late.over).toBe(true)
    expect(clock.pending).toBe(0)
  })

  test('a wait that is called off takes nothing from the one that follows it', async () => {
    for (const how of ['release', 'limit'] as const) {
      const { clock, holding, wait } = begin()
      const letGo = holding.hold()
      const first = new AbortController()
      wait(first.signal)
      first.abort(new Error('called off'))
      const next = wait()
      await clock.settle()
      if (how === 'release') letGo()
      else await clock.advance(26_000)
      await clock.settle()
      expect(next.over, how).toBe(true)
      expect(clock.pending).toBe(0)
    }
  })

  test('a hold that begins as the last one ends keeps the wait', async () => {
    const { clock, holding, wait } = begin()
    const letGo = holding.hold()
    const waiting = wait()
    letGo()
    const again = holding.hold()
    await clock.settle()
    expect(waiting.over).toBe(false)
    again()
    await clock.settle()
    expect(waiting.over).toBe(true)
  })
})
