import { expect, test } from 'vitest'
import { objectBench } from './object-bench.ts'

test('a loop that has ended by itself is begun again by the next alarm', async () => {
  const { clock, make, publish } = objectBench()
  const handled: unknown[] = []
  const object = make((event) => handled.push(event.replayId))
  await object.start()
  publish(1)
  await clock.runUntil(() => handled.length === 1)
  object.made[0]?.askStop()
  await clock.advance(1_000)
  expect(await object.status()).toMatchObject({ wanted: true, running: false })
  await object.alarm()
  publish(1)
  await clock.runUntil(() => handled.length === 2)
  await object.stop()
})

test('an alarm that cannot be set anew is an error, for the runtime to try again, and the loop runs meanwhile', async () => {
  const { clock, make, publish, broken } = objectBench()
  const handled: unknown[] = []
  const before = make()
  await before.start()
  await clock.advance(1_000)
  await before.made[0]?.stop()
  const object = make((event) => handled.push(event.replayId))
  broken.add('setAlarm')
  await expect(object.alarm()).rejects.toThrow('setAlarm failed')
  publish(1)
  await clock.runUntil(() => handled.length === 1)
  broken.clear()
  await object.stop()
})

test('storage that fails as a loop ends is told to nobody twice: the alarm that was set finds it mended', async () => {
  const { clock, make, publish, broken } = objectBench()
  let isBroken = true
  const handled: unknown[] = []
  const object = make((event) => {
    if (isBroken) {
      broken.add('get')
      broken.add('put')
      throw new Error('away')
    }
    handled.push(event.replayId)
  })
  await object.start()
  publish(2)
  await clock.advance(10_000)
  isBroken = false
  broken.clear()
  await object.alarm()
  await clock.runUntil(() => handled.length === 2)
  await object.stop()
})

test('an alarm that cannot read what is wanted is set anew: the runtime calls one that fails again a few times only', async () => {
  const { make, broken, alarms } = objectBench()
  const object = make()
  broken.add('get')
  await expect(object.alarm()).rejects.toThrow('get failed')
  expect(alarms).toHaveLength(1)
})

test('a loop that a request begins, after an eviction, is looked after', async () => {
  const { clock, make, alarms } = objectBench()
  await make().start()
  await clock.advance(1_000)
  const next = make()
  const before = alarms.length
  await next.fetch(new Request('https://object/status'))
  expect(alarms).toHaveLength(before + 1)
  await next.fetch(new Request('https://object/status'))
  expect(alarms).toHaveLength(before + 1)
  await next.stop()
})

test('an alarm that cannot be deleted does not keep a loop that is to stop', async () => {
  const { clock, make, broken } = objectBench()
  const object = make()
  await object.start()
  await clock.advance(1_000)
  broken.add('deleteAlarm')
  await object.stop()
  expect(await object.status()).toMatchObject({ wanted: false, running: false })
  await object.alarm()
  expect(object.made.map(({ state }) => state)).toEqual(['stopped'])
})
