import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type RuntimeProcess, startBun } from '../runtimes/runtime-process.ts'

const channel = '/event/Order_Event__e'
let cwd: string
let server: MockOrgServer
let service: RuntimeProcess

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'sfstream-bun-'))
  server = await startMockOrgServer()
})
afterEach(async () => {
  service.kill('SIGKILL')
  await service.ended
  await server.close()
  rmSync(cwd, { recursive: true })
})

const until = (condition: () => unknown): Promise<unknown> =>
  vi.waitUntil(condition, { timeout: 20_000, interval: 5 }).catch((error: Error) => {
    throw new Error(`${error.message}\n${service.out}`)
  })

/** A service that streams, and has handled the events of `numbers`. */
async function serve(mode: 'plain' | 'exit' | 'disposed', ...numbers: number[]): Promise<void> {
  service = startBun('bun/programs/signalled.mjs', [JSON.stringify(server.org.session()), channel, mode], { cwd })
  await until(() => server.org.inspect.subscriptions[channel] === 1)
  for (const number of numbers) server.org.publish(channel, { Number__c: number })
  await until(() => service.out.includes(`event ${numbers.at(-1)}\n`))
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  'Bun: %s saves the position and says goodbye, and the program ends in its own way',
  async (signal) => {
    await serve('plain', 1, 2)
    service.kill(signal)
    expect(await service.ended).toBe(0)
    expect(service.out).toContain('loop ended')
    expect(server.org.inspect.slots.used).toBe(0)
    server.org.publish(channel, { Number__c: 3 })
    await serve('plain', 4)
    expect([...service.out.matchAll(/^event (\d)$/gm)].map(([, number]) => Number(number))).toEqual([3, 4])
  },
)

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('Bun: with exit, %s ends the process with %i once the client has stopped', async (signal, code) => {
  await serve('exit', 1)
  service.kill(signal)
  expect(await service.ended).toBe(code)
  expect(service.out).toContain('status stopped')
  expect(server.org.inspect.slots.used).toBe(0)
})

test('Bun: a second signal ends the process at once, though the goodbye is unanswered', async () => {
  await serve('exit', 1)
  server.org.faults.next({ on: 'disconnect', kind: 'hold' })
  service.kill('SIGTERM')
  await until(() => service.out.includes('status stopping'))
  service.kill('SIGINT')
  // Not 143, which the first signal would end with once the goodbye is given up.
  expect(await service.ended).toBe(130)
})

test('Bun: the function that comes back removes the listeners', async () => {
  await serve('disposed', 1)
  service.kill('SIGTERM')
  expect(await service.ended).toBe('SIGTERM')
})
