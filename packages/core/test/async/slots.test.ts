import { expect, test } from 'vitest'
import { slots } from '../../src/async/slots.ts'

test('lets in so many at a time, in the order of asking, and nobody twice for one leaving', async () => {
  const { enter } = slots(2)
  const { signal } = new AbortController()
  const inside: string[] = []
  const ask = async (name: string): Promise<() => void> => {
    const leave = await enter(signal)
    inside.push(name)
    return leave
  }
  const leaveA = await ask('a')
  await ask('b')
  const waiting = [ask('c'), ask('d'), ask('e')]
  await Promise.resolve()
  expect(inside).toEqual(['a', 'b'])
  leaveA()
  leaveA()
  const leaveC = await waiting[0]
  await Promise.resolve()
  expect(inside).toEqual(['a', 'b', 'c'])
  leaveC?.()
  await waiting[1]
  expect(inside).toEqual(['a', 'b', 'c', 'd'])
})

test('who gives up makes room for nobody, and is not let in', async () => {
  const { enter } = slots(1)
  const leave = await enter(new AbortController().signal)
  const controller = new AbortController()
  const given = enter(controller.signal)
  const next = enter(new AbortController().signal)
  controller.abort(new Error('enough'))
  await expect(given).rejects.toThrow('enough')
  leave()
  ;(await next)()
  await expect(enter(AbortSignal.abort(new Error('late')))).rejects.toThrow('late')
})
