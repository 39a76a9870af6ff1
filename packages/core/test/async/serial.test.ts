import { describe, expect, test } from 'vitest'
import { deferred } from '../../src/async/deferred.ts'
import { serial } from '../../src/async/serial.ts'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('serial', () => {
  test('a synchronous task is done at once; behind an asynchronous one it waits its turn', async () => {
    const log: string[] = []
    const tasks = serial(() => {})
    const gate = deferred<void>()
    tasks.run(() => void log.push('a'))
    expect(log).toEqual(['a'])
    tasks.run(() => gate.promise.then(() => void log.push('b')))
    tasks.run(() => void log.push('c'))
    expect([log, tasks.size]).toEqual([['a'], 2])
    gate.resolve()
    await settle()
    expect([log, tasks.size]).toEqual([['a', 'b', 'c'], 0])
  })

  test('a failure, thrown or rejected, is told, and the next task runs', async () => {
    const failures: unknown[] = []
    const log: string[] = []
    const tasks = serial((error) => failures.push((error as Error).message))
    tasks.run(() => {
      throw new Error('thrown')
    })
    tasks.run(() => Promise.reject(new Error('rejected')))
    tasks.run(() => void log.push('after'))
    await settle()
    expect([failures, log]).toEqual([['thrown', 'rejected'], ['after']])
  })

  test('cleared: what waits is forgotten, what has begun is ignored, and new tasks run', async () => {
    const failures: unknown[] = []
    const log: string[] = []
    const tasks = serial((error) => failures.push(error))
    const gate = deferred<void>()
    tasks.run(() => gate.promise)
    tasks.run(() => void log.push('forgotten'))
    tasks.clear()
    tasks.run(() => void log.push('new'))
    gate.reject(new Error('late'))
    await settle()
    expect([failures, log, tasks.size]).toEqual([[], ['new'], 0])
  })

  test('a task run from within a task comes after it', () => {
    const log: string[] = []
    const tasks = serial(() => {})
    tasks.run(() => {
      tasks.run(() => void log.push('inner'))
      log.push('outer')
    })
    expect(log).toEqual(['outer', 'inner'])
  })
})
